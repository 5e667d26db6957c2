import { logChoose } from './binomial.ts';
import type { Layout, Side } from './layout.ts';
import type { MovesFormula } from './plan.ts';

/** In sums: some 100 ms. */
const maxTerms = 1_000_000;

/**
 * What part of the unnamed customers moves, exactly: the ranking of the slots is as good as random. Null where hosts change their
 * places and others come or go at once: then only the sample tells.
 */
export function movesFormula(layout: Layout): MovesFormula | null {
  const { before, after, isComparable } = layout;
  if (before.size < 1 || after.size < 1) return null;
  if (!isComparable) return { moved: 1, grown: 0, shrunk: 0, keepNone: 1 };
  const counts = countSlots(layout);
  if (counts.displaced === 0) return withoutDisplaced(counts, before.size, after.size);
  if (counts.gone > 0 || counts.come > 0 || before.size !== after.size) return null;
  const same = chanceOfClosed(cyclesOf(layout), before.size, before.open.size);
  return same === null ? null : { moved: 1 - same, grown: 0, shrunk: 0, keepNone: null };
}

/** Open slots: in both with the same host, in both with another host, only before, only after. */
interface Counts {
  readonly same: number;
  readonly other: number;
  readonly gone: number;
  readonly come: number;
  /** Hosts that are open in both, at another slot. */
  readonly displaced: number;
}

function countSlots({ before, after }: Layout): Counts {
  const both = [...before.open].filter((slot) => after.open.has(slot));
  const same = both.filter((slot) => before.members[slot] === after.members[slot]).length;
  const places = placesOf(after);
  const displaced = [...before.open].filter((slot) => (places.get(before.members[slot] ?? -1) ?? slot) !== slot);
  return {
    same,
    other: both.length - same,
    gone: before.open.size - both.length,
    come: after.open.size - both.length,
    displaced: displaced.length,
  };
}

/** The open slot of each host. */
function placesOf({ open, members }: Side): Map<number, number> {
  return new Map([...open].map((slot) => [members[slot] ?? -1, slot]));
}

/** No host changes its slot: a shard keeps its hosts only if it keeps its slots, and these their hosts. */
function withoutDisplaced(counts: Counts, k: number, next: number): MovesFormula {
  const { same, other, gone, come } = counts;
  const all = same + other + gone + come;
  const moved = k === next ? 1 - Math.exp(logChoose(same, k) - logChoose(all, k)) : 1;
  const grown = next > k ? chanceOfPrefix(all, { same, size: k, others: come, more: next - k }) : 0;
  const shrunk = next < k ? chanceOfPrefix(all, { same, size: next, others: gone, more: k - next }) : 0;
  return { moved: clamp(moved), grown: clamp(grown), shrunk: clamp(shrunk), keepNone: keepNone(counts, k, next) };
}

/**
 * The chance that, in a random order of `all`, the first `size` of the `same` come before everything else but at most `more` of
 * the `others`.
 */
function chanceOfPrefix(all: number, of: { same: number; size: number; others: number; more: number }): number {
  const { same, size, others, more } = of;
  let chance = 0;
  for (let a = 0; a <= Math.min(more, others); a++) {
    const prefix = logChoose(same, size) + logChoose(others, a) - logChoose(all, size + a);
    chance += (Math.exp(prefix) * size) / (size + a);
  }
  return chance;
}

/** The chance that the best of the hosts that are in both is not in both shards. Null: too many terms. */
function keepNone({ same, other, gone, come }: Counts, k: number, next: number): number | null {
  const [cs, bs, as] = [Math.min(other, k - 1, next - 1), Math.min(gone, k - 1), Math.min(come, next - 1)];
  if ((cs + 1) * (bs + 1) * (as + 1) > maxTerms) return null;
  let kept = 0;
  for (let c = 0; c <= cs; c++)
    for (let b = 0; b <= Math.min(bs, k - 1 - c); b++)
      for (let a = 0; a <= Math.min(as, next - 1 - c); a++) {
        const chosen = logChoose(other, c) + logChoose(gone, b) + logChoose(come, a) + logChoose(same, 1);
        const before = c + b + a;
        kept += Math.exp(chosen - logChoose(same + other + gone + come, before + 1)) / (before + 1);
      }
  return clamp(1 - kept);
}

/** The lengths of the cycles in which hosts change places. Chains with an end are left out: a shard with one of them moves. */
function cyclesOf({ before, after }: Layout): number[] {
  const places = placesOf(after);
  const nextOf = (slot: number): number | undefined => places.get(before.members[slot] ?? -1);
  const seen = new Set<number>();
  const cycles: number[] = [];
  for (const start of before.open) {
    let [slot, length]: [number | undefined, number] = [start, 0];
    for (; slot !== undefined && !seen.has(slot); slot = nextOf(slot), length++) seen.add(slot);
    if (slot === start && length > 0) cycles.push(length);
  }
  return cycles;
}

/** The chance that a random set of `k` of `n` slots is made of whole cycles. Null: too many terms. */
function chanceOfClosed(cycles: readonly number[], k: number, n: number): number | null {
  const long = cycles.filter((length) => length > 1 && length <= k);
  const fixed = cycles.filter((length) => length === 1).length;
  if (long.length * k > maxTerms) return null;
  const ways = new Float64Array(k + 1);
  ways[0] = 1;
  for (const length of long)
    for (let size = k; size >= length; size--) ways[size] = (ways[size] ?? 0) + (ways[size - length] ?? 0);
  let chance = 0;
  ways.forEach((count, size) => {
    if (count > 0) chance += Math.exp(Math.log(count) + logChoose(fixed, k - size) - logChoose(n, k));
  });
  return Number.isFinite(chance) ? clamp(chance) : null;
}

function clamp(chance: number): number {
  return Math.min(1, Math.max(0, chance));
}
