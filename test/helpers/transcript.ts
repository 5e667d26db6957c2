import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';

type Run = (command: string) => string[] | Promise<string[]>;

/**
 * Runs a text transcript: blocks of commands, a line `----`, the expected output, an empty line. Lines that begin with
 * `#` are comments. `UPDATE=1` writes the actual output: review it before you commit it.
 */
export async function runTranscript(file: string, run: Run): Promise<void> {
  const blocks = readFileSync(file, 'utf8')
    .split(/\n\n+/)
    .filter((block) => block.trim() !== '');
  const seen = [];
  for (const block of blocks) seen.push(await runBlock(block, run));
  const text = `${seen.join('\n\n')}\n`;
  if (process.env['UPDATE'] === '1') writeFileSync(file, text);
  else assert.equal(text, `${blocks.join('\n\n').trimEnd()}\n`, file);
}

async function runBlock(block: string, run: Run): Promise<string> {
  const head = block.split('\n----')[0] ?? '';
  const commands = head.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  if (commands.length === 0) return head.trimEnd();
  const output = [];
  for (const command of commands) output.push(...(await run(command)));
  return [head.trimEnd(), '----', ...output].join('\n');
}
