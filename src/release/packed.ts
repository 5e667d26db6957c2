import type { Json } from '../config/config.ts';
import { customerOf, nextPrefix, viewKey } from './runtime-keys.ts';

/** `keys`: a runtime key for each customer; `packed`: one key for all; `auto`: packed from `packedFrom` customers on. */
export type Encoding = 'auto' | 'keys' | 'packed';

/** Where `auto` begins to pack. With fewer customers, `/runtime` reads like the file and is cheap to fetch. */
export const packedFrom = 1_000;

/**
 * The fields to push: with the customers' sizes packed into one value, or as they are. Only Envoy sees the packed form.
 */
export function encodeSizes(fields: ReadonlyMap<string, Json>, encoding: Encoding): ReadonlyMap<string, Json> {
  if (encoding === 'keys') return fields;
  const [rest, sizes, nextSizes] = [new Map<string, Json>(), new Map<string, number>(), new Map<string, number>()];
  for (const [key, value] of fields) {
    const id = customerOf(key);
    const nextId = id === null ? customerOf(key, nextPrefix) : null;
    if (typeof value !== 'number') rest.set(key, value);
    else if (id !== null) sizes.set(id, value);
    else if (nextId !== null) nextSizes.set(nextId, value);
    else rest.set(key, value);
  }
  if (encoding === 'auto' && sizes.size + nextSizes.size < packedFrom) return fields;
  if (sizes.size > 0) rest.set(viewKey('sizes'), packSizes(sizes));
  if (nextSizes.size > 0) rest.set(viewKey('sizes', nextPrefix), packSizes(nextSizes));
  return rest;
}

/** `,id=3,other=5,`: ids encoded by `encodeId`, sorted by the bytes of that. The filter does a binary search in it. */
export function packSizes(sizes: ReadonlyMap<string, number>): string {
  const encoded = new Map([...sizes].map(([id, size]) => [encodeId(id), size]));
  // encoded ids are ASCII, so UTF-16 order is byte order; sorting without a comparator is twice as fast
  const ids = [...encoded.keys()].sort();
  return ids.reduce((text, id) => `${text}${id}=${encoded.get(id) ?? 0},`, ',');
}

/** `,id,other,`: a list of customers. */
export function packIds(ids: Iterable<string>): string {
  return `,${[...ids].map((id) => `${encodeId(id)},`).join('')}`;
}

/** Reads what packIds writes. */
export function unpackIds(text: string): string[] {
  return text
    .split(',')
    .filter((id) => id !== '')
    .map(decodeURIComponent);
}

// everything but printable ASCII, and these five
const special = /([^ -~]|[%,="\\])+/gu;

/** An id with `%XX` for each UTF-8 byte that is `%`, `,`, `=`, `"`, `\`, a control or not ASCII. */
function encodeId(id: string): string {
  return id.replace(special, (text) => Buffer.from(text).reduce((hex, byte) => hex + percent(byte), ''));
}

function percent(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
