/** `keys`: a runtime key for each customer; `packed`: one key for all; `auto`: packed from `packedFrom` customers on. */
export type Encoding = 'auto' | 'keys' | 'packed';

/** Where `auto` begins to pack. With fewer customers, `/runtime` reads like the file and is cheap to fetch. */
const packedFrom = 1_000;

/** Whether that many customers' sizes are packed into one value. */
export function packsSizes(customers: number, encoding: Encoding): boolean {
  return encoding === 'packed' || (encoding === 'auto' && customers >= packedFrom);
}

/** `,id=3,other=5,`: ids encoded by `encodeId`, sorted by the bytes of that. The filter does a binary search in it. */
export function packSizes(sizes: ReadonlyMap<string, number>): string {
  const encoded = new Map([...sizes].map(([id, size]) => [encodeId(id), size]));
  // encoded ids are ASCII, so UTF-16 order is byte order; sorting without a comparator is twice as fast
  const ids = [...encoded.keys()].sort();
  return ids.reduce((text, id) => `${text}${id}=${encoded.get(id) ?? 0},`, ',');
}

/** `,id,other,`: a list of customers, or of slots. */
export function packIds(ids: Iterable<string>): string {
  return `,${[...ids].map((id) => `${encodeId(id)},`).join('')}`;
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
