/** The finalizer of MurmurHash3: mixes 32 bits so that each depends on all. Returns an unsigned integer. */
export function fmix32(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** MurmurHash3 x86_32 (Austin Appleby, public domain). Returns an unsigned integer. */
export function murmur3_32(bytes: Uint8Array, seed: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tail = bytes.length - (bytes.length % 4);
  let h = seed | 0;
  for (let i = 0; i < tail; i += 4) {
    h ^= mixBlock(view.getUint32(i, true));
    h = (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
  }
  let rest = 0;
  for (let i = bytes.length - 1; i >= tail; i--) rest = (rest << 8) | view.getUint8(i);
  if (tail < bytes.length) h ^= mixBlock(rest);
  return fmix32(h ^ bytes.length);
}

function mixBlock(block: number): number {
  const k = Math.imul(block, 0xcc9e2d51);
  return Math.imul((k << 15) | (k >>> 17), 0x1b873593);
}
