import pc from 'picocolors';
import type { Diagnostic } from './config/diagnostic.ts';

/** Colour only on a terminal, and never with NO_COLOR (https://no-color.org). What CI systems set has no say. */
export function hasColor(stream: { readonly isTTY?: boolean }): boolean {
  return stream.isTTY === true && !process.env['NO_COLOR'];
}

/** Characters of the source line that are shown around the fault. */
const windowBefore = 60;
const windowAfter = 40;

/** How a diagnostic is drawn. */
export interface DrawOptions {
  readonly color: boolean;
}

/**
 * A diagnostic as a person reads it, several lines without a final line end:
 * `file:line:column: error: message [code]` (with no file, `error: ...` alone), the line of `source` (the file's text; null where there is none to show)
 * with a caret under the column, and the hint. Nothing in it can move a terminal's cursor.
 */
export function drawDiagnostic(diagnostic: Diagnostic, source: string | null, { color }: DrawOptions): string {
  const paint = pc.createColors(color);
  const { file, line, column, message, code, hint } = diagnostic;
  const place = file === '' ? '' : `${paint.bold(`${safe(file)}:${line}:${column}:`)} `;
  const head = `${place}${paint.red('error:')} ${safe(message)} ${paint.dim(`[${code}]`)}`;
  const excerpt = source === null || isPlaceless(diagnostic) ? null : drawExcerpt(lineOf(source, line), column);
  return [
    head,
    ...(excerpt === null ? [] : [`  ${excerpt.text}`, `  ${excerpt.indent}${paint.red('^')}`]),
    ...(hint === null ? [] : [`  ${paint.cyan('hint:')} ${safe(hint)}`]),
  ].join('\n');
}

/** It is about the commit as a whole, or Envoy named no key that is in the file: what stands at 1:1 is innocent. */
function isPlaceless({ code, file, line, column }: Diagnostic): boolean {
  return file === '' || placeless.test(code) || (code === 'refused' && line === 1 && column === 1);
}

const placeless =
  /^(?:held|too-costly|file-missing|file-not-regular|object-missing|check-failed|aborted|signature-.*)$/;

/** The text of the 1-based line, without its line end and without a byte order mark; null where there is no such line. */
function lineOf(source: string, line: number): string | null {
  let start = 0;
  for (let i = 1; i < line; i++) {
    start = source.indexOf('\n', start) + 1;
    if (start === 0) return null;
  }
  const feed = source.indexOf('\n', start);
  const text = source.slice(start, feed === -1 ? undefined : feed).replace(/\r$/, '');
  return line === 1 ? text.replace(/^\ufeff/, '') : text;
}

function drawExcerpt(line: string | null, column: number): { text: string; indent: string } | null {
  if (line === null || line.trim() === '') return null;
  const caret = Math.min(column - 1, line.length);
  const from = caret > windowBefore ? caret - windowBefore : 0;
  const to = Math.min(line.length, Math.max(caret + windowAfter, from + windowBefore + windowAfter));
  // a cut may part a surrogate pair
  const before = `${from > 0 ? '…' : ''}${safe(line.slice(from, caret).toWellFormed())}`;
  const after = `${safe(line.slice(caret, to).toWellFormed())}${to < line.length ? '…' : ''}`;
  return { text: before + after, indent: ' '.repeat(widthOf(before)) };
}

/** One column for each tab, and a visible stand-in for what would move the cursor, reorder or hide text. */
function safe(text: string): string {
  return text.replaceAll('\t', ' ').replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '\ufffd');
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

// East Asian wide and fullwidth (https://www.unicode.org/reports/tr11/), in the blocks that matter
const wide =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}])/u;

/** How many columns a terminal gives the text. */
function widthOf(text: string): number {
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += wide.test(segment) ? 2 : 1;
  return width;
}
