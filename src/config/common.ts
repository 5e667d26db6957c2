import { otherReading } from './ambiguous.ts';
import type { Json } from './config.ts';
import { maxTokens } from './yaml.ts';

type Mapping = Record<string, Json>;

/** The current line: `key:`, `key: value` or `- item`. */
interface Line {
  readonly indent: number;
  /** Null for an item of a list. */
  readonly key: string | null;
  /** Undefined when nothing follows the colon. */
  readonly value: Json | undefined;
}

// beyond ASCII, YAML allows all but the byte order mark in plain scalars
const other = '\\x80-\\ufefe\\uff00-\\uffff';
const word = `[A-Za-z0-9_${other}][A-Za-z0-9_./@+~${other}-]*`;
const quoted = `"[ !#-[\\]-~${other}]*"|'[ -&(-~${other}]*'`;
const words = `${word}(?::${word})*`;
const blankLines = /(?: *(?:#[^\r\n]*)?\r?\n)+/y;
const lineStart = new RegExp(`( *)(?:(-)|(${word}|${quoted}):)(?:( +)(?=[^ #\\r\\n])|(?=[ \\r\\n]))`, 'y');
const lineEnd = /(?: *| +#[^\r\n]*)(?:\r?\n|$)/y;
const blockScalar = new RegExp(`${quoted}|${words}(?: +${words})*`, 'y');
const flowItem = new RegExp(`${quoted}|${words}`, 'y');
const flowKey = new RegExp(`(${word}|${quoted}): +`, 'y');
const comma = / *, */y;
const spaces = / */y;

const number = /^[-+]?(?:[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+)$/;
const constant = /^(?:null|Null|NULL|true|True|TRUE|false|False|FALSE)$/;

const deepest = 8;
const longestKey = 256;

/**
 * A fast parser for the style that nearly all files use (block mappings, one key per line; lists of scalars; a flow mapping
 * or list of scalars on one line). Returns null for anything else, which yaml.ts and tree.ts then read.
 * They make the same data of what is read here, without a fault (test/config/common.test.ts), in many times the time.
 */
export function readCommon(file: string): Json | null {
  return new Reader(file).read();
}

class Reader {
  readonly #file: string;
  #at = 0;
  #line: Line | null = null;
  /** At least as many as yaml.ts would count. */
  #tokens = 8;

  constructor(file: string) {
    this.#file = file;
  }

  read(): Json | null {
    this.#at = /^---\r?\n/.exec(this.#file)?.[0].length ?? 0;
    if (!this.#next() || this.#line?.key == null) return null;
    const data = this.#mapping(0, 0);
    return this.#isAtEnd() && this.#tokens <= maxTokens ? data : null;
  }

  /** Reads the next line that isn't blank; null at the end. Returns false for one that this parser doesn't support. */
  #next(): boolean {
    this.#line = null;
    this.#skipBlankLines();
    if (this.#at === this.#file.length) return true;
    const start = this.#match(lineStart);
    if (start === null) return false;
    const key = start[3] === undefined ? null : toKey(start[3]);
    const value = start[4] === undefined ? undefined : this.#value();
    if (key === undefined || value === null) return false;
    const end = this.#match(lineEnd);
    if (end === null) return false;
    this.#tokens += 5 + (end[0].length > 2 ? 2 : 0);
    this.#line = { indent: start[1]?.length ?? 0, key, value };
    return true;
  }

  #isAtEnd(): boolean {
    return this.#line === null;
  }

  #skipBlankLines(): void {
    const from = this.#at;
    if (this.#match(blankLines) === null) return;
    for (
      let end = this.#file.indexOf('\n', from);
      end !== -1 && end < this.#at;
      end = this.#file.indexOf('\n', end + 1)
    )
      this.#tokens += 3;
  }

  /** The mapping whose keys are indented by `indent` spaces. */
  #mapping(indent: number, depth: number): Json | null {
    const mapping: Mapping = {};
    while (this.#line?.key != null && this.#line.indent === indent) {
      const { key, value } = this.#line;
      if (!this.#next()) return null;
      const data = value === undefined ? this.#below(indent, depth) : value;
      if (data === null || !add(mapping, key, data)) return null;
    }
    return this.#isBelow(indent) ? null : mapping;
  }

  /** The value below a key that is indented by `indent` spaces: a deeper mapping, or a list. */
  #below(indent: number, depth: number): Json | null {
    if (this.#line === null || depth === deepest) return null;
    if (this.#line.key === null) return this.#line.indent >= indent ? this.#list(this.#line.indent) : null;
    return this.#line.indent > indent ? this.#mapping(this.#line.indent, depth + 1) : null;
  }

  #list(indent: number): Json | null {
    const list: Json[] = [];
    while (this.#line?.key === null && this.#line.indent === indent) {
      if (this.#line.value === undefined) return null;
      list.push(this.#line.value);
      if (!this.#next()) return null;
    }
    return this.#isBelow(indent) ? null : list;
  }

  #isBelow(indent: number): boolean {
    return this.#line !== null && this.#line.indent > indent;
  }

  /** The value after a colon or a dash, on its line. */
  #value(): Json | null {
    this.#tokens++;
    const first = this.#file.charAt(this.#at);
    if (first === '{') return this.#flow('}', {}, (mapping) => this.#pair(mapping));
    if (first === '[') return this.#flow(']', [], (list) => this.#item(list));
    return this.#scalar(blockScalar);
  }

  /** A flow collection on one line; `read` reads one entry. */
  #flow<T extends Mapping | Json[]>(close: string, into: T, read: (into: T) => boolean): T | null {
    this.#at++;
    this.#tokens += 2;
    this.#skipSpaces();
    if (!this.#takes(close)) {
      do if (!read(into)) return null;
      while (this.#takesComma());
      this.#skipSpaces();
      if (!this.#takes(close)) return null;
    }
    return into;
  }

  #pair(mapping: Mapping): boolean {
    this.#tokens += 4;
    const written = this.#match(flowKey)?.[1];
    const key = written === undefined ? undefined : toKey(written);
    const value = key === undefined ? null : this.#scalar(flowItem);
    return key !== undefined && value !== null && add(mapping, key, value);
  }

  #item(list: Json[]): boolean {
    const value = this.#scalar(flowItem);
    return value !== null && list.push(value) > 0;
  }

  #scalar(pattern: RegExp): Json | null {
    this.#tokens += 2;
    const source = this.#match(pattern)?.[0];
    return source === undefined ? null : toScalar(source);
  }

  #takesComma(): boolean {
    const taken = this.#match(comma) !== null;
    if (taken) this.#tokens += 3;
    return taken;
  }

  #skipSpaces(): void {
    if (this.#match(spaces)?.[0] !== '') this.#tokens++;
  }

  #takes(character: string): boolean {
    if (this.#file.charAt(this.#at) !== character) return false;
    this.#at++;
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#file);
    if (match !== null) this.#at += match[0].length;
    return match;
  }
}

/** Returns false for a duplicate key. */
function add(mapping: Mapping, key: string, value: Json): boolean {
  if (Object.hasOwn(mapping, key) || key === '__proto__') return false;
  mapping[key] = value;
  return true;
}

function toKey(source: string): string | undefined {
  if (source.length > longestKey) return undefined;
  if (isQuoted(source)) return source.slice(1, -1);
  return number.test(source) || constant.test(source) ? undefined : source;
}

/** Null for a scalar that the full parser must read. */
function toScalar(source: string): Json | null {
  if (isQuoted(source)) return source.slice(1, -1);
  if (source === 'true' || source === 'false') return source === 'true';
  if (constant.test(source) || otherReading(source) !== null) return null;
  if (!number.test(source)) return source;
  // the rules check a number's notation, so only accept the canonical one here
  return String(Number(source)) === source ? Number(source) : null;
}

function isQuoted(source: string): boolean {
  return source.startsWith('"') || source.startsWith("'");
}
