import { CST, Lexer } from 'yaml';
import { show } from './words.ts';

// Hints for common slips.

const oddSpace = '[\\u00a0\\u1680\\u2000-\\u200b\\u202f\\u205f\\u2060\\u3000\\ufeff]';
/** An unusual space where YAML needs an ordinary one: at the start of a line, or after an indicator. */
const misplacedSpace = new RegExp(`^ *(${oddSpace})|[:,{[-] *(${oddSpace})`);

/** For a line with an unusual space where YAML needs an ordinary one; else null. */
export function oddSpaceHint(line: string): string | null {
  const match = misplacedSpace.exec(line);
  const character = match?.[1] ?? match?.[2];
  if (match === null || character === undefined) return null;
  const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  const what = character === '\u00a0' ? 'a no-break space' : 'an unusual space';
  return `column ${match.index + match[0].length} of this line is ${what} (U+${code}), which YAML takes for a letter: write usual spaces`;
}

/** For `key:value` without a space after the colon. */
export function missingSpaceHint(text: string, known: readonly string[]): string | null {
  const [, key = '', value = ''] = /^([^\s:]+):(\S.*)$/.exec(text) ?? [];
  return known.includes(key)
    ? `a space is missing behind the colon: write ${show(`${key}: ${value}`).slice(1, -1)}`
    : null;
}

/** A list as YAML reads an IPv6 address in brackets without quotes, on `line`. */
export function bareAddressHint(line: string): string | null {
  const address = /(?:^|[\s,[-])(\[[0-9a-fA-F:.]*:[0-9a-fA-F:.]*\]:[0-9]+)/.exec(line)?.[1];
  return address === undefined ? null : `put an IPv6 address in quotes: "${address}"`;
}

/** The line of `text` at `offset`, without its line end. */
export function lineAt(text: string, offset: number): string {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', offset);
  return text.slice(start, end === -1 ? undefined : end);
}

/** What the lexer puts between the pieces of the text: the beginning of a document and of a plain scalar, a flow's end by error. */
const marks: ReadonlySet<string> = new Set([CST.DOCUMENT, CST.SCALAR, CST.FLOW_END]);

/** The bracket that is still open where the text breaks off or goes on without it, at `offset`. */
export function openBracket(
  text: string,
  offset: number,
): { readonly bracket: string; readonly offset: number } | null {
  const open: { bracket: string; offset: number }[] = [];
  let at = 0;
  for (const lexeme of new Lexer().lex(text.slice(0, offset))) {
    if (lexeme === '{' || lexeme === '[') open.push({ bracket: lexeme, offset: at });
    if (lexeme === '}' || lexeme === ']') open.pop();
    if (!marks.has(lexeme)) at += lexeme.length;
  }
  return open.at(-1) ?? null;
}

interface Mapping {
  readonly properties?: object;
  /** What its other keys, those of a customer, may be. */
  readonly additionalProperties?: { readonly properties?: object };
}

/** A key of `data` that stands one level too far out, as what is in it shows where any key may be: `a: {shard_size: 3}`. */
export function belongsHint(key: string, schema: object | undefined, data: unknown): string | null {
  const { properties = {} } = (schema ?? {}) as { readonly properties?: Readonly<Record<string, Mapping>> };
  const value = (data as Readonly<Record<string, unknown>> | undefined)?.[key];
  const inside = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  const has = (mapping: Mapping | undefined, name: string): boolean => Object.hasOwn(mapping?.properties ?? {}, name);
  const names = Object.keys(properties);
  const owner =
    names.find((name) => has(properties[name], key)) ??
    names.find((name) => inside.some((each) => has(properties[name]?.additionalProperties, each)));
  if (owner !== undefined) return `it belongs under ${owner}: indent it, and put it there`;
  return key.includes('.') && Object.hasOwn(properties, 'runtime') ? 'other runtime keys belong under runtime:' : null;
}
