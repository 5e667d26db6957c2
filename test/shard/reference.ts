/** The definition in docs/design.md, word by word, in BigInt and with a full sort: slow, and shares no line with src/shard. */
export function referenceShard(
  customer: string,
  totalHosts: number,
  shardSize: number,
  drained: readonly number[] = [],
): number[] {
  const bytes = Buffer.from(customer, 'utf8');
  const a = murmur(bytes, 0n);
  const c = murmur(bytes, 0x9747b28cn);
  const scores = Array.from({ length: totalHosts }, (_, slot) => mix((mix(a ^ mix(BigInt(slot) + 1n)) + c) & mask));
  const slots = scores.map((_, slot) => slot).filter((slot) => !drained.includes(slot));
  slots.sort((one, other) => (scores[one] === scores[other] ? one - other : scores[one]! > scores[other]! ? -1 : 1));
  return slots.slice(0, shardSize);
}

/** As docs/envoy.md has it, in BigInt. */
export function referenceCutover(customer: string): number {
  return Number(mix(murmur(Buffer.from(customer, 'utf8'), 0n) ^ 0x6375746fn) % 10_000n);
}

const mask = 0xffffffffn;
const times = (x: bigint, y: bigint) => (x * y) & mask;
const rotate = (x: bigint, by: bigint) => ((x << by) | (x >> (32n - by))) & mask;
const scramble = (block: bigint) => times(rotate(times(block, 0xcc9e2d51n), 15n), 0x1b873593n);

function mix(h: bigint): bigint {
  h = times(h ^ (h >> 16n), 0x85ebca6bn);
  h = times(h ^ (h >> 13n), 0xc2b2ae35n);
  return h ^ (h >> 16n);
}

function murmur(bytes: Buffer, seed: bigint): bigint {
  let h = seed;
  const whole = bytes.length >> 2;
  for (let i = 0; i < whole; i++) {
    h = (times(rotate(h ^ scramble(BigInt(bytes.readUInt32LE(i * 4))), 13n), 5n) + 0xe6546b64n) & mask;
  }
  const tail = Buffer.concat([bytes.subarray(whole * 4), Buffer.alloc(4)]).readUInt32LE(0);
  if (bytes.length % 4 > 0) h ^= scramble(BigInt(tail));
  return mix(h ^ BigInt(bytes.length));
}
