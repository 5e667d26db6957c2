import { namedCustomers, type ShardConfig } from '../config/config.ts';
import { bounds } from '../config/schema-file.ts';
import { assignShard, rankingCost } from './assign.ts';
import { choose } from './choose.ts';
import { coverPairs } from './cover.ts';
import { dealtTo, hashedText, slotsIn, viewOf, type ShardView } from './shard-of.ts';
import { shareAll, shareMoreThan, type Sharing } from './sharing.ts';

/** What is asked of {@link dealAnew}. */
export interface DealOptions {
  /** How many hosts two customers may share; null: any but all. */
  readonly overlap: number | null;
  /** The config that is committed: its customers keep their hosts, and new ones are dealt anew. Null when there is none. */
  readonly before: ShardConfig | null;
}

/** Two customers that share more than they may. */
export interface SharingPair {
  readonly customers: readonly [string, string];
  /** How many hosts. */
  readonly shared: number;
}

/** Which customers to deal anew. */
export interface Dealing {
  /** How many customers the config names. */
  readonly customers: number;
  /** How many pairs share more than they may, as the config is. */
  readonly pairs: number;
  /** The deals to write, by customer, in the file's order. */
  readonly deals: ReadonlyMap<string, number>;
  /** How many pairs would be left; 0 when the bound is reached. */
  readonly pairsLeft: number;
  /** Some of those, 20 at most. */
  readonly left: readonly SharingPair[];
  /** Why no deals can reach the bound, or null. */
  readonly impossible: string | null;
}

const pairsListed = 20;

/** More pairs than that are not collected: a bound that so many break is not to be reached, and they would take 100 MB. */
export const maxPairs = 2_000_000;

/** How many draws a customer gets until one fits. */
const maxDraws = 2_000;

/** What all draws may cost, in slots scored and members compared: some seconds. */
const maxCost = 400_000_000;

/**
 * As few deals as are needed so that no two named customers share more hosts than they may. The same for the same config. A
 * customer that has nothing to do with a new one keeps its hosts; of two that share too much, the one is dealt anew that shares too much
 * with more others, is new, has no deal yet, or comes later in the file. Customers in quarantine count as if they were not: that
 * passes, and their hosts are shared by design.
 */
export function dealAnew(config: ShardConfig, { overlap, before }: DealOptions): Dealing {
  const view = viewOf({ ...config, quarantined: new Set() });
  const names = [...namedCustomers(config).keys()];
  const shards = names.map((name) => slotsIn(view, name));
  const size = shards.reduce((most, slots) => Math.max(most, slots.length), 0);
  const expected = { members: names.length, hosts: config.totalHosts, size };
  const makeSharing = () => (overlap === null ? shareAll() : shareMoreThan(overlap, expected));
  const pairs = findPairs(shards, makeSharing());
  const tell = { customers: names.length, pairs: pairs.length };
  const list = (some: readonly Pair[]) => some.slice(0, pairsListed).map((pair) => toPair(pair, names, shards));
  const impossible = whyImpossible(shards, view, overlap) ?? (pairs.length >= maxPairs ? 'too many pairs do' : null);
  if (impossible !== null) return { ...tell, deals: new Map(), pairsLeft: pairs.length, left: list(pairs), impossible };
  const order = orderOf(names, config, before);
  const drawn = draw(coverPairs(pairs, order), { names, shards, view, sharing: makeSharing() });
  return { ...tell, deals: drawn.deals, pairsLeft: drawn.left.length, left: list(drawn.left), impossible: null };
}

type Pair = readonly [number, number];

function findPairs(shards: readonly (readonly number[])[], sharing: Sharing): Pair[] {
  const pairs: Pair[] = [];
  for (const [member, slots] of shards.entries()) {
    for (const other of sharing.conflicts(slots)) pairs.push([other, member]);
    if (pairs.length >= maxPairs) break;
    sharing.add(member, slots);
  }
  return pairs;
}

function toPair([a, b]: Pair, names: readonly string[], shards: readonly (readonly number[])[]): SharingPair {
  const slots = new Set(shards[a]);
  const shared = (shards[b] ?? []).filter((slot) => slots.has(slot)).length;
  return { customers: [names[a] ?? '', names[b] ?? ''], shared };
}

/** The lower, the sooner a customer is dealt anew: new ones, those without a deal, the last ones of the file. */
function orderOf(names: readonly string[], config: ShardConfig, before: ShardConfig | null): number[] {
  const named = before && namedCustomers(before);
  const isSettled = (name: string) =>
    named?.has(name) === true &&
    before?.customers.get(name) === config.customers.get(name) &&
    before?.deals?.get(name) === config.deals?.get(name);
  return names.map((name, i) => {
    const rank = (isSettled(name) ? 2 : 0) + (config.deals?.has(name) === true ? 1 : 0);
    return rank * names.length + (names.length - i);
  });
}

interface Drawing {
  readonly names: readonly string[];
  /** Changed as members are dealt anew. */
  readonly shards: (readonly number[])[];
  readonly view: ShardView;
  readonly sharing: Sharing;
}

/** Deals the `members` anew, each so that it fits to all that stay and to those before it. */
function draw(members: ReadonlySet<number>, drawing: Drawing): { deals: Map<string, number>; left: Pair[] } {
  const { names, shards, sharing } = drawing;
  for (const [member, slots] of shards.entries()) if (!members.has(member)) sharing.add(member, slots);
  const deals = new Map<string, number>();
  const left: Pair[] = [];
  const budget = { cost: maxCost };
  for (const member of [...members].sort((a, b) => a - b)) {
    const found = findDeal(member, drawing, budget);
    if (found === null) left.push(...sharing.conflicts(shards[member] ?? []).map((other): Pair => [other, member]));
    else deals.set(names[member] ?? '', found.deal);
    if (found !== null) shards[member] = found.slots;
    sharing.add(member, shards[member] ?? []);
  }
  return { deals, left };
}

function findDeal(member: number, { names, view, sharing }: Drawing, budget: { cost: number }) {
  const name = names[member] ?? '';
  const dealt = dealtTo(view, name);
  const first = (view.config.deals?.get(name) ?? 0) + 1;
  const cost = rankingCost(dealt) + sharing.cost(dealt.shardSize);
  for (let deal = first; deal < first + maxDraws && deal <= bounds.deal && budget.cost > 0; deal++) {
    budget.cost -= cost;
    const slots = dealt.shardSize < 1 ? [] : assignShard({ ...dealt, customer: hashedText(name, deal) });
    if (sharing.conflicts(slots).length === 0) return { deal, slots };
  }
  return null;
}

/**
 * Why no deals could reach the bound, where counting shows it: each set of `overlap + 1` hosts may be in one shard at most, and where
 * shards may share all but one host, there are only so many of a size.
 */
function whyImpossible(shards: readonly (readonly number[])[], view: ShardView, overlap: number | null): string | null {
  const hosts = view.config.totalHosts - view.closed.size;
  const bySize = Map.groupBy(shards, (slots) => slots.length);
  if (overlap === null) {
    for (const [size, { length }] of bySize)
      if (length > choose(hosts, size) * slack) return tooMany(length, size, hosts, choose(hosts, size));
    return null;
  }
  const needed = [...bySize].reduce((sum, [size, { length }]) => sum + length * choose(size, overlap + 1), 0);
  const there = choose(hosts, overlap + 1);
  if (needed <= there * slack) return null;
  const sets = overlap === 0 ? 'hosts' : `sets of ${overlap + 1} hosts`;
  return `their shards hold ${needed} ${sets}, each of which only one may have, and there are ${there}`;
}

/** Products of doubles are not exact. */
const slack = 1 + 1e-9;

function tooMany(customers: number, size: number, hosts: number, there: number): string {
  return `${customers} customers have shards of ${size}, and ${hosts} hosts make ${there} of them`;
}
