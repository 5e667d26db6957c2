import { setTimeout as sleep } from 'node:timers/promises';
import pc from 'picocolors';
import { printable } from '../config/words.ts';
import { hasColor } from '../terminal.ts';

const escape = '\u001b';

/**
 * Shows what `read` returns until a signal ends the process: on a terminal in place, in a pipe whenever it has changed.
 * Errors are shown, too, and reading goes on: the daemon may be restarting.
 */
export async function watch(intervalMs: number, read: () => Promise<string>): Promise<never> {
  const { stdout } = process;
  let last: string | null = null;
  for (;;) {
    const text = await read().catch((error: unknown) => formatError(error as Error & { hint?: string | null }));
    if (stdout.isTTY) stdout.write(toScreen(text, stdout.rows, stdout.columns));
    else if (text !== last) stdout.write(`${text}\n`);
    last = text;
    await sleep(intervalMs);
  }
}

function formatError({ message, hint }: Error & { hint?: string | null }): string {
  const head = `${pc.createColors(hasColor(process.stdout)).red('error:')} ${printable(message)}`;
  return hint ? `${head}\n  hint: ${printable(hint)}` : head;
}

/** Overwrites the screen line by line instead of clearing it, so that nothing flickers. Cuts what doesn't fit. */
function toScreen(text: string, rows: number, columns: number): string {
  const lines = text.split('\n').flatMap((line) => wrap(line, columns));
  const fitting =
    lines.length < rows ? lines : [...lines.slice(0, rows - 2), `... ${lines.length - rows + 2} more lines`];
  return `${escape}[H${fitting.map((line) => `${line}${escape}[K\n`).join('')}${escape}[J`;
}

/** A colour code, or one character. */
const pieces = new RegExp(`${escape}\\[[0-9;]*m|.`, 'gu');

/** Wraps a line; colour codes have no width. */
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
