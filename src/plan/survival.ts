import { chanceOfSharing } from './binomial.ts';
import type { Outage } from './plan.ts';

/** So many open hosts, and customers by the size of their shards. */
export interface Population {
  readonly hosts: number;
  /** Shard size to the number of customers. */
  readonly sizes: ReadonlyMap<number, number>;
}

/** What is looked at: 1 or 2 hosts down, or all hosts of 1, 4 or 16 bad customers. */
export const outages: readonly Outage[] = [
  { what: 'hosts', count: 1 },
  { what: 'hosts', count: 2 },
  { what: 'customers', count: 1 },
  { what: 'customers', count: 4 },
  { what: 'customers', count: 16 },
];

/** In terms of the sum below: some 3 s. */
const maxTerms = 50_000_000;

/**
 * What part of the customers has nothing left, for each of {@link outages}, if hosts fail, or customers turn bad, at random, and
 * shards are random sets. Null where there is no other customer, and where it would take too long.
 */
export function survivalOf(population: Population, isEndless = false): (number | null)[] {
  const total = sum(population.sizes.values());
  const covered = chancesCovered(population, Math.max(...outages.map(({ count }) => count)));
  return outages.map(({ what, count }) => {
    if (total === 0 || (what === 'customers' && !isEndless && count >= total)) return null;
    if (what === 'hosts') return partOf(population, (size) => chanceDown(population.hosts, size, count));
    return covered && partOf(population, (size) => covered[count]?.[size] ?? 0);
  });
}

function partOf({ sizes }: Population, chance: (size: number) => number): number {
  const lost = [...sizes].map(([size, customers]) => customers * chance(size));
  return Math.min(1, sum(lost) / sum(sizes.values()));
}

/** All `size` hosts of a shard are among `down` of all hosts. */
function chanceDown(hosts: number, size: number, down: number): number {
  return chanceOfSharing({ j: size, k: size, d: Math.min(down, hosts), n: hosts });
}

/**
 * By the number of bad customers and by size: the chance that all hosts of a shard are in the shards of the bad ones. One bad customer
 * has j of the u hosts that the others before it left with P(share j of u); it is summed over j, so that nothing cancels out.
 */
function chancesCovered({ hosts, sizes }: Population, most: number): Float64Array[] | null {
  const largest = Math.max(0, ...sizes.keys());
  if (largest ** 2 * (sizes.size + most) > maxTerms) return null;
  const shares = Array.from({ length: largest + 1 }, (_, u) => sharesOf({ hosts, sizes }, u));
  const chances = [Float64Array.from({ length: largest + 1 }, (_, u) => (u === 0 ? 1 : 0))];
  for (let bad = 1; bad <= most; bad++) {
    const before = chances[bad - 1] ?? new Float64Array();
    chances.push(Float64Array.from(shares, (share, u) => sum(share.map((chance, j) => chance * (before[u - j] ?? 0)))));
  }
  return chances;
}

/** P(a bad customer of any size has j of u hosts), for each j. */
function sharesOf({ hosts, sizes }: Population, u: number): Float64Array {
  const total = sum(sizes.values());
  return Float64Array.from({ length: u + 1 }, (_, j) => {
    const chances = [...sizes].map(([d, customers]) => customers * chanceOfSharing({ j, k: u, d, n: hosts }));
    return sum(chances) / total;
  });
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
