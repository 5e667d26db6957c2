import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { ParsedNode, Scalar, YAMLMap } from 'yaml';
import { otherReading } from './ambiguous.ts';
import type { Json } from './config.ts';
import { maxFaults } from './schema-faults.ts';
import type { Located } from './fault.ts';
import type { Places } from './place.ts';
import { bareAddressHint, lineAt } from './slips.ts';
import { show } from './words.ts';

/** Data as the schema sees it. Keys such as `__proto__` are plain keys of their own. */
interface Tree {
  readonly data: Json;
  readonly faults: readonly Located[];
}

interface Walk {
  readonly text: string;
  readonly places: Places;
  readonly faults: Located[];
  readonly words: ReadonlySet<string>;
}

type PlainMap = YAMLMap<ParsedNode, ParsedNode | null>;

/**
 * The plain data under `root`, and every use of YAML that a config doesn't need and that reads as something else than
 * it looks: anchors, aliases, merge keys, tags, duplicate keys and keys that aren't strings. Never throws: depth is
 * bounded by yaml.ts. `words`: plain scalars that can only be meant as they stand, whatever other readers make of them.
 */
export function toTree(
  root: ParsedNode,
  text: string,
  { places, words = new Set() }: { places: Places; words?: ReadonlySet<string> },
): Tree {
  const walk: Walk = { text, places, faults: [], words };
  const data = toData(root, walk);
  return { data, faults: walk.faults };
}

function toData(node: ParsedNode | null, walk: Walk): Json {
  if (node === null) return null;
  checkProperties(node, walk);
  if (isMap<ParsedNode, ParsedNode | null>(node)) return toObject(node, walk);
  if (isSeq<ParsedNode>(node)) return node.items.map((item) => toData(item, walk));
  return isScalar(node) ? toScalar(node, walk) : null;
}

function toScalar({ value, type, source, range: [offset] }: Scalar.Parsed, walk: Walk): Json {
  if (typeof value === 'string') checkWellFormed(value, offset, walk);
  const reading = type === 'PLAIN' && !walk.words.has(source) ? otherReading(source) : null;
  if (reading !== null) report(walk, offset, ambiguous(source, value, reading));
  return value as null | boolean | number | string;
}

function toObject(map: PlainMap, walk: Walk): Json {
  const object: Record<string, Json> = {};
  const seen = new Map<string, number>();
  for (const { key, value } of map.items) {
    const name = toKey(key, seen, walk);
    const data = toData(value, walk);
    if (name !== null) setOwn(object, name, data);
  }
  return object;
}

/** Assigning `__proto__` would set the prototype; defining it makes a key like any other. */
function setOwn(object: Record<string, Json>, name: string, value: Json): void {
  if (name !== '__proto__') object[name] = value;
  else Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}

/** The key's name, or null if it has none or is a duplicate. */
function toKey(key: ParsedNode, seen: Map<string, number>, walk: Walk): string | null {
  checkProperties(key, walk);
  if (isAlias(key)) return null;
  const offset = key.range[0];
  if (!isScalar(key) || typeof key.value !== 'string') {
    const words = keyNotString(isScalar(key) ? key.source : null);
    report(walk, offset, { ...words, hint: bareAddressHint(lineAt(walk.text, offset)) ?? words.hint });
    return null;
  }
  checkWellFormed(key.value, offset, walk);
  if (key.value === '<<' && key.type === 'PLAIN') report(walk, offset, mergeKey);
  const first = seen.get(key.value);
  if (first === undefined) seen.set(key.value, offset);
  else report(walk, offset, duplicateKey(key.value, walk.places.at(first).line));
  return first === undefined ? key.value : null;
}

function checkProperties(node: ParsedNode, walk: Walk): void {
  if (isAlias(node)) return report(walk, node.range[0], alias(`*${node.source}`, 'an alias'));
  const { anchor, tag } = node;
  const start = node.range[0];
  if (anchor !== undefined) report(walk, before(walk.text, `&${anchor}`, start), alias(`&${anchor}`, 'an anchor'));
  if (tag !== undefined) report(walk, startOfTag(walk.text, start), customTag);
}

/** Where the property `source` of the node at `start` begins: properties stand right before their node. */
function before(text: string, source: string, start: number): number {
  const offset = text.lastIndexOf(source, start);
  return offset === -1 ? start : offset;
}

function startOfTag(text: string, start: number): number {
  let offset = before(text, '!', start);
  while (offset > 0 && /[^\s[\]{},]/.test(text.charAt(offset - 1))) offset--;
  return offset;
}

/** An escape can produce half of a surrogate pair, which neither UTF-8 nor protobuf can encode. */
function checkWellFormed(value: string, offset: number, walk: Walk): void {
  if (!value.isWellFormed()) report(walk, offset, halfCharacter);
}

function report(walk: Walk, offset: number, words: Omit<Located, 'line' | 'column'>): void {
  if (walk.faults.length === maxFaults) return;
  walk.faults.push({ ...words, ...walk.places.at(offset) });
}

const mergeKey = {
  code: 'merge-key',
  message: 'merge keys (<<) are not read',
  hint: 'write the merged keys out; a customer id that is really "<<" goes in quotes',
} as const;

const customTag = {
  code: 'tag',
  message: 'tags (!) are not read',
  hint: 'remove the tag; a value that should be a string goes in quotes',
} as const;

const halfCharacter = {
  code: 'yaml-syntax',
  message: 'an escape here is half of a surrogate pair, which is not a character',
  hint: 'write the character itself, or \\U and its 8 hex digits',
} as const;

function alias(source: string, kind: string): Omit<Located, 'line' | 'column'> {
  return {
    code: 'alias',
    message: `${show(source).slice(1, -1)} is ${kind}, which is not read`,
    hint: 'write the value out; a string that begins with & or * goes in quotes',
  };
}

/** The hint offers both meanings, where this is one that a config can have. */
function ambiguous(source: string, value: unknown, reading: string): Omit<Located, 'line' | 'column'> {
  const kind = typeof value === 'number' ? `the number ${value}` : 'a string';
  const meant = reading === 'true' || reading === 'false' ? reading : typeof value === 'number' ? String(value) : null;
  return {
    code: 'ambiguous',
    message: `${source} is ${kind} in YAML 1.2, and ${reading} to readers of YAML 1.1`,
    hint: `${meant === null ? 'write' : `write ${meant}, or`} "${source}" in quotes for the string`,
  };
}

function duplicateKey(key: string, line: number): Omit<Located, 'line' | 'column'> {
  return { code: 'duplicate-key', message: `${show(key)} is given twice, first on line ${line}`, hint: 'keep one' };
}

function keyNotString(source: string | null): Omit<Located, 'line' | 'column'> {
  const code = 'key-not-string';
  if (source === null) return { code, message: 'a list or a mapping is not a key', hint: 'put the key in quotes' };
  if (source === '') return { code, message: 'the key is missing', hint: null };
  return {
    code,
    message: `the key ${show(source).slice(1, -1)} is not a string in YAML`,
    hint: `write ${show(source)}, with the quotes`,
  };
}
