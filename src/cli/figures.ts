import { cut } from '../config/words.ts';

/** What tables and lines on a terminal fit. */
export const maxColumns = 80;

/** A row of a table: what it is about, of the named customers, of the others. */
export type TableRow = readonly [label: string, named: string, others: string];

/** `1,234`. */
export function number(value: number): string {
  return value.toLocaleString('en-US');
}

/** `1,234`, or with decimals where it is small. */
export function decimal(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: value < 100 ? 2 : 0 });
}

/** A part (0 to 1) as a percentage of three digits. */
export function percent(part: number): string {
  if (part <= 0) return '0 %';
  if (part < 0.00001) return '<0.001 %';
  const rounded = Number((part * 100).toPrecision(3));
  return rounded >= 100 && part < 1 ? '>99.9 %' : `${rounded} %`;
}

/** `12 (3.4 %)`, or `0`. */
export function countOf(value: number, total: number): string {
  return value === 0 ? '0' : `${number(value)} (${percent(value / Math.max(1, total))})`;
}

/** `1,234 named`, or `1,000 of 1,234 named`. */
export function namedWords({ of, looked }: { readonly of: number; readonly looked: number }): string {
  return looked < of ? `${number(looked)} of ${number(of)} named` : `${number(of)} named`;
}

/** `[3,1,8]`, as in x-shard-assignment; of many, the best. */
export function hostNumbers(numbers: readonly number[], most: number): string {
  return `[${numbers.slice(0, most).join(',')}${numbers.length > most ? `,… ${numbers.length} in all` : ''}]`;
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
