import { setTimeout as sleep } from 'node:timers/promises';
import pc from 'picocolors';
import { printable } from '../config/words.ts';
import { hasColor } from '../terminal.ts';

const escape = '\u001b';

/**
 * Shows what `read` tells again and again, until it is ended by a signal: on a terminal in place, elsewhere whenever it has
 * changed. What `read` throws is shown, too: a daemon that restarts comes back.
 */
export async function watch(intervalMs: number, read: () => Promise<string>): Promise<never> {
  const { stdout } = process;
  let last: string | null = null;
  for (;;) {
    const text = await read().catch((error: unknown) => toWords(error as Error & { hint?: string | null }));
    if (stdout.isTTY) stdout.write(toScreen(text, stdout.rows, stdout.columns));
    else if (text !== last) stdout.write(`${text}\n`);
    last = text;
    await sleep(intervalMs);
  }
}

function toWords({ message, hint }: Error & { hint?: string | null }): string {
  const words = `${pc.createColors(hasColor(process.stdout)).red('error:')} ${printable(message)}`;
  return hint ? `${words}\n  hint: ${printable(hint)}` : words;
}

/** From the top left, each line cleared to its end, then all below: nothing flickers. What doesn't fit is left out at the end. */
function toScreen(text: string, rows: number, columns: number): string {
  const lines = text.split('\n').flatMap((line) => wrap(line, columns));
  const fitting =
    lines.length < rows ? lines : [...lines.slice(0, rows - 2), `... ${lines.length - rows + 2} more lines`];
  return `${escape}[H${fitting.map((line) => `${line}${escape}[K\n`).join('')}${escape}[J`;
}

/** A colour, or one character. */
const pieces = new RegExp(`${escape}\\[[0-9;]*m|.`, 'gu');

/** A line in parts that fit; colours take no room. */
function wrap(line: string, columns: number): string[] {
  const parts: string[] = [];
  let part = '';
  let width = 0;
  for (const [piece] of line.matchAll(pieces)) {
    const size = piece.startsWith(escape) ? 0 : 1;
    if (width + size > columns) {
      parts.push(part);
      part = '';
      width = 0;
    }
    part += piece;
    width += size;
  }
  return [...parts, part];
}
