import type { Path } from './fault.ts';

const maxNameLength = 120;
const maxValueLength = 60;
const maxListed = 3;

/**
 * What a message calls the value at `path`: its dotted path, made safe to print and cut at 120 characters. Hosts are counted from 1,
 * as in `x-shard-assignment`.
 */
export function nameOf(path: Path): string {
  const [section, list, index, ...rest] = path;
  if (section === 'shuffle_sharding' && list === 'hosts' && index !== undefined) {
    const host = `host ${Number(index) + 1}`;
    return rest.length === 0 ? host : cut(`${host}'s ${printable(rest.join('.'))}`, maxNameLength);
  }
  return path.length === 0 ? 'the file' : cut(printable(path.join('.')), maxNameLength);
}

/** A value as a message quotes it: JSON, cut at 60 characters; lists and mappings by their kind only. */
export function show(value: unknown): string {
  if (typeof value === 'string') return cut(printable(JSON.stringify(value)), maxValueLength);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return valueKind(value);
}

/** The kind of a value in words: `a string`, `a list`, `nothing`. */
export function valueKind(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a number';
  return `a ${typeof value}`;
}

/** `1 byte`, `2 bytes`, `10,000 bytes`. */
export function count(n: number, noun: string): string {
  return `${n.toLocaleString('en-US')} ${noun}${n === 1 ? '' : 's'}`;
}

/** A part (0 to 1) as `12.5 %`, with as many decimals as the settings take. */
export function exactPercent(part: number): string {
  return `${Number((part * 100).toFixed(2))} %`;
}

/** RFC 3339 to the second, in UTC. */
export function toTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** The first three, and how many others there are: `a, b, c and 2 others`. */
export function listSome(names: readonly string[]): string {
  const others = names.length > maxListed ? ` and ${count(names.length - maxListed, 'other')}` : '';
  return `${names.slice(0, maxListed).join(', ')}${others}`;
}

/** An operator's reason after what was done: `: why`, or nothing where none was given. */
export function because(why: string): string {
  return why === '' ? '' : `: ${why}`;
}

/** `a`, `a or b`, `a, b or c`. */
export function either(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
}

/** Escapes what would move a terminal's cursor or reorder its text (controls, line separators, bidi marks, lone surrogates). */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

/** At most so many characters. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).toWellFormed()}…`;
}
