/** What tables and lines on a terminal fit. */
export const maxColumns = 80;

/** A part (0 to 1) as a percentage of three digits. */
export function percent(part: number): string {
  if (part <= 0) return '0 %';
  if (part < 0.00001) return '<0.001 %';
  const rounded = Number((part * 100).toPrecision(3));
  return rounded >= 100 && part < 1 ? '>99.9 %' : `${rounded} %`;
}

/** `1,234`. */
export function number(value: number): string {
  return value.toLocaleString('en-US');
}

/** At most so many characters. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, Math.max(0, most - 1)).toWellFormed()}…`;
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
