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
  /** Of those: how many share no host, at least one, and every host of this shard. */
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

/** Explains the shard of any customer, configured or not, under a valid config. Costs one assignment for each customer in it. */
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
  const names = [...config.customers.keys()].filter((name) => name !== customer);
  const shared = names.map((name) => ({ name, count: countShared(config, name, slots) }));
  const all = shared.filter(({ count }) => count === slots.size);
  const none = shared.filter(({ count }) => count === 0);
  return {
    others: names.length,
    sharingNone: none.length,
    sharingSome: names.length - none.length,
    sharingAll: all.length,
    namesSharingAll: all.slice(0, namesListed).map(({ name }) => name),
  };
}

function countShared(config: ShardConfig, name: string, slots: ReadonlySet<number>): number {
  const shard = assignShard({ customer: name, totalHosts: config.totalHosts, shardSize: sizeOf(config, name) });
  return shard.filter((slot) => slots.has(slot)).length;
}
