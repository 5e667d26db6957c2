import type { ShardConfig } from '../config/config.ts';
import { assignShard, rankSlots, type ScoredSlot } from './assign.ts';

/** One slot of a customer's shard. */
export interface ExplainedSlot extends ScoredSlot {
  /** 1-based, as `x-shard-assignment` has it. */
  readonly number: number;
  /** `ip:port`, or null in cluster mode. */
  readonly host: string | null;
}

/** How a customer's shard meets those of the other configured customers. */
export interface Overlap {
  /** The other customers that the config names. */
  readonly others: number;
  /** The first of them in the file's order, as many as could be compared: all, but for a config that is huge (`maxScores`). */
  readonly compared: number;
  /** Of the compared: how many share no host, at least one, and every host of this shard. */
  readonly sharingNone: number;
  readonly sharingSome: number;
  readonly sharingAll: number;
  /** Who shares every host, in the file's order, 20 at most. */
  readonly namesSharingAll: readonly string[];
}

/** A customer's shard, and why it is that one. */
export interface ShardExplanation {
  readonly customer: string;
  readonly totalHosts: number;
  readonly shardSize: number;
  /** Where the size is from: the customer's own entry, or the default. */
  readonly sizeFrom: 'customer' | 'default';
  /** Best first. */
  readonly slots: readonly ExplainedSlot[];
  /** The best slot that was not taken: where the shard would grow to. Null when it has them all. */
  readonly next: ExplainedSlot | null;
  readonly overlap: Overlap;
}

const namesListed = 20;

/**
 * What may be spent on comparing, in scores: a third of a second, in which a daemon does nothing else. (100,000 customers on as
 * many hosts would take a minute or more.) A slot of a shard costs as much as some 50 scores: it is sorted.
 */
const maxScores = 30_000_000;
const scoresOfSlot = 50;

/** Explains the shard of any customer, configured or not, under a valid config. */
export function explainShard(config: ShardConfig, customer: string): ShardExplanation {
  const shardSize = sizeOf(config, customer);
  const ranked = rankSlots({ customer, totalHosts: config.totalHosts, shardSize: shardSize + 1 });
  const explained = ranked.map((slot) => ({ ...slot, number: slot.slot + 1, host: config.hosts?.[slot.slot] ?? null }));
  const slots = explained.slice(0, shardSize);
  return {
    customer,
    totalHosts: config.totalHosts,
    shardSize,
    sizeFrom: config.customers.has(customer) ? 'customer' : 'default',
    slots,
    next: explained[shardSize] ?? null,
    overlap: overlapOf(config, customer, new Set(slots.map(({ slot }) => slot))),
  };
}

function sizeOf(config: ShardConfig, customer: string): number {
  return Math.min(config.customers.get(customer) ?? config.defaultShardSize, config.totalHosts);
}

function overlapOf(config: ShardConfig, customer: string, slots: ReadonlySet<number>): Overlap {
  const others = config.customers.keys().filter((name) => name !== customer);
  let [compared, sharingNone, spent] = [0, 0, 0];
  const sharingAll: string[] = [];
  for (const name of others) {
    if (spent >= maxScores) break;
    spent += config.totalHosts + scoresOfSlot * sizeOf(config, name);
    compared += 1;
    const count = countShared(config, name, slots);
    if (count === 0) sharingNone += 1;
    if (count === slots.size) sharingAll.push(name);
  }
  return {
    others: config.customers.size - (config.customers.has(customer) ? 1 : 0),
    compared,
    sharingNone,
    sharingSome: compared - sharingNone,
    sharingAll: sharingAll.length,
    namesSharingAll: sharingAll.slice(0, namesListed),
  };
}

function countShared(config: ShardConfig, name: string, slots: ReadonlySet<number>): number {
  const shard = assignShard({ customer: name, totalHosts: config.totalHosts, shardSize: sizeOf(config, name) });
  return shard.filter((slot) => slots.has(slot)).length;
}
