// The hashes as the docs have them, written anew with BigInt: src/shard/murmur3.ts is not used, so that a test can find it wrong.

const word = (1n << 32n) - 1n;
const times = (a: bigint, b: bigint): bigint => (a * b) & word;
const rotated = (a: bigint, by: bigint): bigint => ((a << by) | (a >> (32n - by))) & word;

/** The finalizer of MurmurHash3 (x86, 32 bits). */
export function fmix32(value: bigint): bigint {
  let mixed = times(value ^ (value >> 16n), 0x85ebca6bn);
  mixed = times(mixed ^ (mixed >> 13n), 0xc2b2ae35n);
  return mixed ^ (mixed >> 16n);
}

/** MurmurHash3 (x86, 32 bits) of a text's UTF-8. */
export function murmur3(text: string, seed: bigint): bigint {
  const bytes = Buffer.from(text);
  const scrambled = (part: bigint): bigint => times(rotated(times(part, 0xcc9e2d51n), 15n), 0x1b873593n);
  let hash = seed;
  const whole = bytes.length - (bytes.length % 4);
  for (let at = 0; at < whole; at += 4) {
    hash ^= scrambled(BigInt(bytes.readUInt32LE(at)));
    hash = (times(rotated(hash, 13n), 5n) + 0xe6546b64n) & word;
  }
  if (whole < bytes.length) hash ^= scrambled(BigInt(bytes.readUIntLE(whole, bytes.length - whole)));
  return fmix32(hash ^ BigInt(bytes.length));
}

/** A node.id's place in the order in which waves take nodes. */
export function orderOf(id: string): number {
  return Number(murmur3(id, 0x77617665n));
}

/** node.ids in that order. */
export function inWaveOrder(ids: readonly string[]): string[] {
  return [...ids].sort((a, b) => orderOf(a) - orderOf(b));
}

/** A customer's place in a rollout by customers: it uses the next view once the cutover is higher. */
export function cutoverPlace(customer: string): number {
  return Number(fmix32(murmur3(customer, 0n) ^ 0x6375746fn) % 10_000n);
}

/** A customer's shard: slots from 1, best first. */
export function shardOf(customer: string, { hosts, size }: { hosts: number; size: number }): number[] {
  const [a, c] = [murmur3(customer, 0n), murmur3(customer, 0x9747b28cn)];
  const score = (slot: number): bigint => fmix32((fmix32(a ^ fmix32(BigInt(slot))) + c) & word);
  const slots = Array.from({ length: hosts }, (_, at) => at + 1);
  return slots.sort((x, y) => Number(score(y) - score(x)) || x - y).slice(0, size);
}
