import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Runs a text transcript: blocks of commands, a line `----`, the expected output, an empty line. Lines that begin with
 * `#` are comments. `UPDATE=1` writes what was seen, to be read before it is committed.
 */
export function runTranscript(file: string, run: (command: string) => string[]): void {
  const blocks = readFileSync(file, 'utf8')
    .split(/\n\n+/)
    .filter((block) => block.trim() !== '');
  const seen = blocks.map((block) => runBlock(block, run));
  const text = `${seen.join('\n\n')}\n`;
  if (process.env['UPDATE'] === '1') writeFileSync(file, text);
  else assert.equal(text, `${blocks.join('\n\n').trimEnd()}\n`, file);
}

function runBlock(block: string, run: (command: string) => string[]): string {
  const head = block.split('\n----')[0] ?? '';
  const commands = head.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  if (commands.length === 0) return head.trimEnd();
  const output = commands.flatMap((command) => run(command));
  return [head.trimEnd(), '----', ...output].join('\n');
}
