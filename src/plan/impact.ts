import { namedCustomers, type ShardConfig } from '../config/config.ts';
import { rankingCost } from '../shard/assign.ts';
import { dealtTo, slotsIn, unnamed, viewOf, type ShardView } from '../shard/shard-of.ts';
import { chanceOfSharing } from './binomial.ts';
import type { Names } from './plan.ts';
import { lookInSteps, thin } from './steps.ts';

/** What is down: slots from 0, and whose they are. */
export interface Failing {
  readonly slots: ReadonlySet<number>;
  /** The customer who has poisoned them: it is not counted itself. Null: the hosts have failed. */
  readonly customer: string | null;
}

/** A host, as `x-shard-assignment` counts it (from 1). */
export interface ImpactHost {
  readonly number: number;
  /** `ip:port`, or null in cluster mode. */
  readonly host: string | null;
  /** Drained, or vacant: no customer has it anyway. */
  readonly unused: boolean;
}

/** Named customers that are hit and have so many hosts left. */
export interface Left extends Names {
  readonly left: number;
}

/** Named customers that share so many hosts with what is down. */
export interface Shared {
  readonly shared: number;
  readonly count: number;
}

/** Who has how many hosts left: `shardplane impact --json` adds where the config is from. */
export interface Impact {
  readonly totalHosts: number;
  readonly down: readonly ImpactHost[];
  /** The customers that the config names. */
  readonly named: {
    readonly of: number;
    /** How many were looked at: all, unless there are too many on too many hosts. */
    readonly looked: number;
    /** Those that have all their hosts. */
    readonly untouched: number;
    /** Those that lack at least one: fewest left first, 1,000 names each at most. */
    readonly left: readonly Left[];
    /** The same customers, and the untouched ones, by what they share with it; most first. */
    readonly shared: readonly Shared[];
  };
  /** Parts (0 to 1) of the customers that it does not name, by formula. */
  readonly others: {
    /** The size of their shards. */
    readonly size: number;
    /** How likely so many are left of it, fewest first; what is below one in a billion is left out. */
    readonly left: readonly { readonly left: number; readonly part: number }[];
  };
}

/** In scores (rankingCost): half a minute or so. */
const maxScores = 2e9;
const namesListed = 1000;
const leastPart = 1e-9;

/** Looks at each named customer; yields the part (0 to 1) that is done, every few milliseconds. */
export function* impactOf(
  config: ShardConfig,
  failing: Failing,
  { budget = maxScores }: { readonly budget?: number } = {},
): Generator<number, Impact> {
  const view = viewOf(config);
  const names = [...namedCustomers(config).keys()].filter((name) => name !== failing.customer);
  const counter = new Counter();
  const looked = thin(names, budget / costOf(view, names));
  yield* lookInSteps(looked, (customer) => {
    const slots = slotsIn(view, customer);
    counter.add(customer, slots.length, slots.filter((slot) => failing.slots.has(slot)).length);
    return rankingCost({ totalHosts: config.totalHosts, shardSize: slots.length });
  });
  return {
    totalHosts: config.totalHosts,
    down: [...failing.slots].toSorted((a, b) => a - b).map((slot) => toHost(view, slot)),
    named: { of: names.length, looked: looked.length, ...counter.result() },
    others: othersOf(view, failing.slots),
  };
}

/** The part of the customers that no config names which have nothing left. */
export function othersLost({ others }: Impact): number {
  return others.left.find(({ left }) => left === 0)?.part ?? 0;
}

/** The named customers that have nothing left. */
export function namedLost({ named }: Impact): Names {
  return named.left.find(({ left }) => left === 0) ?? { count: 0, some: [] };
}

function toHost({ config, drained }: ShardView, slot: number): ImpactHost {
  return { number: slot + 1, host: config.hosts?.[slot] || null, unused: drained.has(slot) };
}

/** Their shards are as good as random sets of the slots that are open to them. */
function othersOf(view: ShardView, down: ReadonlySet<number>): Impact['others'] {
  const { shardSize: size, totalHosts, drained } = dealtTo(view, unnamed);
  const [n, d] = [totalHosts - drained.size, down.difference(drained).size];
  const left = [];
  for (let j = Math.min(size, d); j >= Math.max(0, size + d - n); j--) {
    const part = Math.min(1, chanceOfSharing({ j, k: size, d, n }));
    if (part >= leastPart) left.push({ left: size - j, part });
  }
  return { size, left };
}

/** What one of them costs, on average, in scores. */
function costOf(view: ShardView, names: readonly string[]): number {
  let slots = 0;
  for (const name of names) slots += dealtTo(view, name).shardSize;
  return rankingCost({ totalHosts: view.config.totalHosts, shardSize: slots / Math.max(1, names.length) });
}

/** Counts named customers. */
class Counter {
  readonly #left = new Map<number, { count: number; readonly some: string[] }>();
  readonly #shared = new Map<number, number>();
  #untouched = 0;

  add(customer: string, size: number, shared: number): void {
    this.#shared.set(shared, (this.#shared.get(shared) ?? 0) + 1);
    if (shared === 0) {
      this.#untouched += 1;
      return;
    }
    const known = this.#left.get(size - shared) ?? { count: 0, some: [] };
    this.#left.set(size - shared, known);
    known.count += 1;
    if (known.some.length < namesListed) known.some.push(customer);
  }

  result(): Pick<Impact['named'], 'untouched' | 'left' | 'shared'> {
    return {
      untouched: this.#untouched,
      left: [...this.#left].map(([left, names]) => ({ left, ...names })).sort((a, b) => a.left - b.left),
      shared: [...this.#shared].map(([shared, count]) => ({ shared, count })).sort((a, b) => b.shared - a.shared),
    };
  }
}
