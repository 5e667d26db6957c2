import { fmix32, murmur3_32 } from './murmur3.ts';

/** The customer, the number of slots, and how many of them it gets. */
export interface ShardRequest {
  readonly customer: string;
  readonly totalHosts: number;
  /** If larger than the number of slots, the shard is all of them. */
  readonly shardSize: number;
  /** Slots (from 0) that get no customers: the next ones in the ranking take their place. */
  readonly drained?: ReadonlySet<number>;
}

/** A slot and its score. */
export interface ScoredSlot {
  /** 0-based. */
  readonly slot: number;
  /** Unsigned, 32 bits; higher is better. */
  readonly score: number;
}

/**
 * The customer's slots (0-based), best first: rendezvous hashing, so that a bigger shard keeps its members and one more
 * host moves as few customers as can be. envoy/src/rank.lua computes the same (docs/design.md, "The shard").
 * Throws RangeError unless both numbers are integers and 1 <= shardSize, 1 <= totalHosts <= 1,048,576.
 */
export function assignShard(request: ShardRequest): number[] {
  return rankSlots(request).map(({ slot }) => slot);
}

/** A slot of a shard costs as much as so many scores, since it is sorted. */
const scoresOfSlot = 50;

/** What a shard costs to compute, in scores: some 10 ns each. */
export function rankingCost({ totalHosts, shardSize }: Pick<ShardRequest, 'totalHosts' | 'shardSize'>): number {
  return totalHosts + scoresOfSlot * shardSize;
}

/** As assignShard, with scores. */
export function rankSlots({ customer, totalHosts, shardSize, drained = nobody }: ShardRequest): ScoredSlot[] {
  check('totalHosts', totalHosts, slotRange);
  check('shardSize', shardSize, Number.MAX_SAFE_INTEGER);
  const bytes = new TextEncoder().encode(customer);
  const a = murmur3_32(bytes, 0);
  const c = murmur3_32(bytes, 0x9747b28c);
  const best = selectTop({
    total: totalHosts,
    size: Math.min(shardSize, countFree(totalHosts, drained)),
    drained,
    weigh: (slot) => weigh(a, c, slot),
  });
  return Array.from(best.sort().reverse(), (weight) => ({
    slot: slotRange - 1 - (weight % slotRange),
    score: Math.floor(weight / slotRange),
  }));
}

function check(name: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw new RangeError(`${name} must be an integer from 1 to ${most}, not ${value}`);
}

/** A score (32 bits) and its slot (20 bits) in one double, which orders by both: ties go to the lower slot. */
const slotRange = 2 ** 20;

function weigh(a: number, c: number, slot: number): number {
  const score = fmix32((fmix32(a ^ fmix32(slot + 1)) + c) | 0);
  return score * slotRange + (slotRange - 1 - slot);
}

const nobody: ReadonlySet<number> = new Set();

function countFree(total: number, drained: ReadonlySet<number>): number {
  return total - [...drained].filter((slot) => slot >= 0 && slot < total).length;
}

interface Ranking {
  readonly total: number;
  readonly size: number;
  readonly drained: ReadonlySet<number>;
  readonly weigh: (slot: number) => number;
}

/** The `size` greatest weights of slots that aren't drained, unordered, with a heap of that size: O(total log size). */
function selectTop({ total, size, drained, weigh }: Ranking): Float64Array {
  const heap = new Float64Array(size);
  let slot = 0;
  for (let filled = 0; filled < size; slot++) if (!drained.has(slot)) heap[filled++] = weigh(slot);
  for (let i = (size >> 1) - 1; i >= 0; i--) siftDown(heap, i);
  for (; slot < total; slot++) {
    const weight = weigh(slot);
    if (weight <= (heap[0] ?? Infinity) || drained.has(slot)) continue;
    heap[0] = weight;
    siftDown(heap, 0);
  }
  return heap;
}

/** Restores the heap (least first) below `start`. */
function siftDown(heap: Float64Array, start: number): void {
  const at = (index: number) => heap[index] ?? Infinity;
  const item = at(start);
  let i = start;
  for (;;) {
    const left = 2 * i + 1;
    const child = at(left + 1) < at(left) ? left + 1 : left;
    if (at(child) >= item) break;
    heap[i] = at(child);
    i = child;
  }
  heap[i] = item;
}
