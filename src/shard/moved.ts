import { namedCustomers, type Customers, type ShardConfig } from '../config/config.ts';
import { rankingCost } from './assign.ts';
import { fmix32 } from './murmur3.ts';
import { dealtTo, isSameDeal, isSameLayout, slotsIn, viewOf, type ShardView } from './shard-of.ts';

/** How many ids are looked at, of each kind. */
const sampleSize = 1000;

/** What they may cost, of each kind (rankingCost): some 20 ms. */
const maxScores = 2_000_000;

/**
 * The share of the customers (0 to 1) whose hosts would be others: of those that either config names or of those that none names,
 * whichever is larger, each by a sample that is always the same one. Exact up to 1,000 named customers, unless there are so many hosts
 * that fewer are looked at. Where both list their hosts, addresses are compared, else slots.
 */
export function movedShare(live: ShardConfig, next: ShardConfig): number {
  const isMoved = compare(live, next);
  return Math.max(shareOf(namedSample(live, next), isMoved), shareOf(unnamedSample(live, next), isMoved));
}

/** Slots of both shards. */
const maxCompared = 40_000;

interface Sampled {
  readonly customer: string;
  /** How many customers it stands for. */
  readonly weight: number;
}

interface Comparison {
  readonly moved: boolean;
  /** In scores. */
  readonly cost: number;
}

type IsMoved = (customer: string) => Comparison;

function shareOf(sample: readonly Sampled[], isMoved: IsMoved): number {
  let [moved, all, spent] = [0, 0, 0];
  for (const { customer, weight } of sample) {
    if (spent > maxScores) break;
    const compared = isMoved(customer);
    spent += compared.cost;
    all += weight;
    if (compared.moved) moved += weight;
  }
  return all === 0 ? 0 : moved / all;
}

function compare(before: ShardConfig, after: ShardConfig): IsMoved {
  const [live, next] = [viewOf(before), viewOf(after)];
  if (isSameLayout(live, next))
    return (customer) => ({ moved: !isSameDeal(dealtTo(live, customer), dealtTo(next, customer)), cost: 1 });
  // no telling which hosts of the cluster the slots were
  if ((before.hosts === null) !== (after.hosts === null)) return () => ({ moved: true, cost: 1 });
  return (customer) => {
    const [was, is] = [dealtTo(live, customer), dealtTo(next, customer)];
    const cost = [was, is].reduce((sum, dealt) => sum + rankingCost(dealt) + dealt.drained.size, 0);
    // too dear to compare, and of so many hosts some always is another
    if (was.shardSize + is.shardSize > maxCompared) return { moved: true, cost: 1 };
    return { moved: !isSameSet(membersOf(live, customer), membersOf(next, customer)), cost };
  };
}

function membersOf(view: ShardView, customer: string): (string | number)[] {
  const { hosts } = view.config;
  return slotsIn(view, customer).map((slot) => hosts?.[slot] ?? slot);
}

function isSameSet(a: readonly (string | number)[], b: readonly (string | number)[]): boolean {
  const members = new Set(a);
  return a.length === b.length && b.every((member) => members.has(member));
}

/** Of the names in either config: some of the live one's, and of the next one's those that are new. */
function namedSample(live: ShardConfig, next: ShardConfig): Sampled[] {
  const named = namedCustomers(live);
  const added = sampleOf(namedCustomers(next)).filter(({ customer }) => !named.has(customer));
  return shuffle([...sampleOf(named), ...added]);
}

/** At most {@link sampleSize} names, one at random from each of as many runs of equal length. */
function sampleOf(customers: Customers): Sampled[] {
  const size = Math.min(customers.size, sampleSize);
  const weight = customers.size / size;
  const sample: Sampled[] = [];
  let at = 0;
  for (const customer of customers.keys()) {
    if (at === Math.floor((sample.length + chance(sample.length)) * weight)) sample.push({ customer, weight });
    at += 1;
  }
  return sample;
}

function unnamedSample(live: ShardConfig, next: ShardConfig): Sampled[] {
  const ids = Array.from({ length: sampleSize }, (_, i) => `unnamed-${i}`);
  const named = [namedCustomers(live), namedCustomers(next)];
  const unnamed = ids.filter((id) => named.every((each) => !each.has(id)));
  return unnamed.map((customer) => ({ customer, weight: 1 }));
}

/** In an order that is always the same, since the end may not be looked at. */
function shuffle(sample: readonly Sampled[]): Sampled[] {
  const keyed = sample.map((sampled, i) => ({ sampled, key: chance(i) }));
  return keyed.toSorted((a, b) => a.key - b.key).map(({ sampled }) => sampled);
}

/** From 0 to below 1, and the same each time. */
function chance(index: number): number {
  return fmix32(index ^ 0x6d6f7665) / 2 ** 32;
}
