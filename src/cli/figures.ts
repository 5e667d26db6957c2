import { cut } from './plan-words.ts';

/** What tables and lines on a terminal fit. */
export const maxColumns = 80;

/** `1,234`. */
export function number(value: number): string {
  return value.toLocaleString('en-US');
}

/** Lines of so many columns, broken between words; all but the first are indented. */
export function wrap(text: string, columns = maxColumns): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + 1 + word.length > columns) lines.push(`  ${word}`);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.map((line) => cut(line, columns));
}
