import { isMap, isScalar } from 'yaml';
import type { Pair, ParsedNode, YAMLMap } from 'yaml';
import { otherReading } from './ambiguous.ts';
import { keyText, Places } from './place.ts';
import { decodeText } from './text.ts';
import { readYaml } from './yaml.ts';

/** What to write in a customer's entry, by key; null takes a key away. An entry that has none left is taken away too. */
export type CustomerChange = Readonly<Record<string, number | boolean | string | null>>;

type Mapping = YAMLMap<ParsedNode, ParsedNode | null>;
type Entry = Pair<ParsedNode, ParsedNode | null>;
type Changes = ReadonlyMap<string, CustomerChange>;
/** A key, and its value as YAML. */
type Written = readonly [key: string, value: string];
/** Replaces the text from `from` to `to`. */
interface Splice {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/**
 * The file with other values in customers' entries, and every other byte as it was: comments, order and style. A new key stands
 * behind the entry's last one, a new entry behind the last one. (The yaml package's own writer would write the whole file anew: other
 * spaces, quotes and line ends.) Null where the file is no YAML mapping, or is written in a way that this does not change; the caller
 * checks what comes out, too.
 */
export function editCustomers(bytes: Uint8Array, changes: Changes): Buffer | null {
  const decoded = decodeText(bytes);
  if ('fault' in decoded) return null;
  const { text } = decoded;
  const yaml = readYaml(text, new Places(text));
  if ('faults' in yaml || !isMap<ParsedNode, ParsedNode | null>(yaml.root)) return null;
  const section = valueOf(yaml.root, 'shuffle_sharding');
  if (!isMap<ParsedNode, ParsedNode | null>(section)) return null;
  const splices = new Editor(text, yaml.root).change(section, changes);
  if (splices === null) return null;
  const mark = bytes[0] === 0xef && bytes[1] === 0xbb ? '\ufeff' : '';
  return Buffer.from(mark + apply(text, splices));
}

function apply(text: string, splices: readonly Splice[]): string {
  let [edited, at] = ['', 0];
  // those at the same place in the order in which they were made
  for (const splice of splices.toSorted((a, b) => a.from - b.from)) {
    edited += text.slice(at, splice.from) + splice.text;
    at = splice.to;
  }
  return edited + text.slice(at);
}

function valueOf(map: Mapping, key: string): ParsedNode | null {
  return map.items.find((item) => keyText(item.key) === key)?.value ?? null;
}

/** Splices that change customers of one file; null for what it can't change. */
class Editor {
  readonly #text: string;
  readonly #lineEnd: string;
  /** Whether new keys are quoted. */
  readonly #isJson: boolean;

  constructor(text: string, root: Mapping) {
    this.#text = text;
    this.#lineEnd = /\r?\n/.exec(text)?.[0] ?? '\n';
    this.#isJson = root.flow === true && root.items.every(({ key }) => isScalar(key) && key.type === 'QUOTE_DOUBLE');
  }

  change(section: Mapping, all: Changes): Splice[] | null {
    const customers = section.items.find(({ key }) => keyText(key) === 'customer');
    const map = customers?.value ?? null;
    const known = isMap<ParsedNode, ParsedNode | null>(map) ? byKey(map) : new Map<string, Entry>();
    const changes = new Map([...all].filter(([id, change]) => known.has(id) || toWrite(change).length > 0));
    if (changes.size === 0) return [];
    if (customers === undefined) return this.#addSection(section, changes);
    if (!isMap<ParsedNode, ParsedNode | null>(map)) return null;
    const gone = map.items.filter((entry) => isEmptied(entry, changes.get(keyText(entry.key))));
    if (gone.length === map.items.length && gone.length === changes.size) return this.#remove(section, [customers]);
    const parts = [this.#remove(map, gone)];
    const added: (Splice[] | null)[] = [];
    for (const [id, change] of changes) {
      const entry = known.get(id);
      if (entry === undefined) added.push(this.#add(map, gone, [id, this.#toFlow(toWrite(change))]));
      else if (!gone.includes(entry)) parts.push(this.#changeEntry(entry, change));
    }
    // behind what the last entry gets
    return together([...parts, ...added]);
  }

  #addSection(section: Mapping, changes: Changes): Splice[] | null {
    const entries = [...changes].map(([id, change]) => [id, this.#toFlow(toWrite(change))] as const);
    return this.#add(section, [], ['customer', this.#toFlow(entries)]);
  }

  #changeEntry({ value: entry }: Entry, change: CustomerChange): Splice[] | null {
    if (!isMap<ParsedNode, ParsedNode | null>(entry)) return null;
    const known = byKey(entry);
    const gone = entry.items.filter(({ key }) => change[keyText(key)] === null);
    const parts = [this.#remove(entry, gone)];
    for (const [key, text] of toWrite(change)) {
      const there = known.get(key)?.value;
      if (there == null) parts.push(this.#add(entry, gone, [key, text]));
      else parts.push(isScalar(there) ? [{ from: there.range[0], to: there.range[1], text }] : null);
    }
    return together(parts);
  }

  /** Adds a key behind the last one of a mapping that stays. */
  #add(map: Mapping, gone: readonly Entry[], [key, value]: Written): Splice[] | null {
    const pair = `${this.#toKey(key)}: ${value}`;
    const last = map.items.findLast((item) => !gone.includes(item));
    if (last === undefined) {
      const at = (map.range?.[0] ?? 0) + 1;
      return map.flow === true && map.items.length === 0 ? [{ from: at, to: at, text: pair }] : null;
    }
    if (map.flow === true) return [{ from: endOf(last), to: endOf(last), text: `, ${pair}` }];
    const at = this.#endOfLine(endOf(last));
    const indent = this.#indentOf(last);
    return indent === null ? null : [{ from: at, to: at, text: `${this.#lineEnd}${indent}${pair}` }];
  }

  /** Takes some keys of a mapping away: in a block with their lines. */
  #remove(map: Mapping, gone: readonly Entry[]): Splice[] | null {
    if (map.flow === true) return gone.map((item) => removedInFlow(map, gone, item));
    if (gone.length > 0 && gone.length === map.items.length) return null; // nothing is not a mapping
    return together(
      gone.map((item) => {
        if (this.#indentOf(item) === null) return null;
        const end = this.#text.indexOf('\n', endOf(item));
        const from = this.#startOfLine(item.key.range[0]);
        return [{ from, to: end === -1 ? this.#text.length : end + 1, text: '' }];
      }),
    );
  }

  /** What stands before an entry of a block; null when it is not white space (`? key`). */
  #indentOf({ key }: Entry): string | null {
    const indent = this.#text.slice(this.#startOfLine(key.range[0]), key.range[0]);
    return /^ *$/.test(indent) ? indent : null;
  }

  #startOfLine(at: number): number {
    return this.#text.lastIndexOf('\n', at - 1) + 1;
  }

  /** Before the line end. */
  #endOfLine(at: number): number {
    const end = this.#text.indexOf('\n', at);
    if (end === -1) return this.#text.length;
    return this.#text.charAt(end - 1) === '\r' ? end - 1 : end;
  }

  #toFlow(entries: readonly Written[]): string {
    return `{${entries.map(([key, value]) => `${this.#toKey(key)}: ${value}`).join(', ')}}`;
  }

  /** In quotes, unless every reader takes it for the string that it is. */
  #toKey(key: string): string {
    const isPlain = /^[A-Za-z_][A-Za-z0-9_.@/-]*$/.test(key) && !/^(?:true|false|null|y|n|yes|no|on|off)$/i.test(key);
    return isPlain && !this.#isJson && otherReading(key) === null ? key : JSON.stringify(key);
  }
}

/** `{a, b, c}` without b is `{a, c}`: it goes with the comma before it, or behind it where nothing before it stays. */
function removedInFlow({ items }: Mapping, gone: readonly Entry[], item: Entry): Splice {
  const i = items.indexOf(item);
  const [previous, next] = [items[i - 1], items[i + 1]];
  const stays = items.slice(0, i).some((each) => !gone.includes(each));
  if (stays && previous !== undefined) return { from: endOf(previous), to: endOf(item), text: '' };
  return { from: item.key.range[0], to: next === undefined ? endOf(item) : next.key.range[0], text: '' };
}

function byKey(map: Mapping): ReadonlyMap<string, Entry> {
  return new Map(map.items.map((item) => [keyText(item.key), item]));
}

function together(parts: readonly (readonly Splice[] | null)[]): Splice[] | null {
  return parts.every((part) => part !== null) ? parts.flat() : null;
}

function toWrite(change: CustomerChange): Written[] {
  return Object.entries(change).flatMap(([key, value]): Written[] =>
    value === null ? [] : [[key, JSON.stringify(value)]],
  );
}

/** Whether a change takes all keys of an entry away. */
function isEmptied({ value }: Entry, change: CustomerChange | undefined): boolean {
  if (change === undefined || !isMap<ParsedNode, ParsedNode | null>(value)) return false;
  return toWrite(change).length === 0 && value.items.every(({ key }) => change[keyText(key)] === null);
}

/** The end of an entry's last character that is neither a comment nor white space. */
function endOf({ key, value }: Entry): number {
  if (value === null) return key.range[1];
  if (isMap<ParsedNode, ParsedNode | null>(value) && value.flow !== true) {
    const last = value.items.at(-1);
    return last === undefined ? value.range[1] : endOf(last);
  }
  return value.range[1];
}
