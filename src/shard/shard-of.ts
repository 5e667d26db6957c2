import type { ShardConfig } from '../config/config.ts';
import { assignShard, type ShardRequest } from './assign.ts';

/** A config with what is the same for all of its customers, computed once. */
export interface ShardView {
  readonly config: ShardConfig;
  /** The slots that get no customers: drained and vacant ones. */
  readonly drained: ReadonlySet<number>;
}

/** What is asked of `assignShard` for a customer. A size of 0 when no slot is left. */
export interface Dealt extends ShardRequest {
  readonly drained: ReadonlySet<number>;
}

/** A customer's slots under a valid config, from 0, best first. For more than one customer use {@link createShards}. */
export function shardOf(config: ShardConfig, customer: string): number[] {
  return slotsIn(viewOf(config), customer);
}

/** As {@link shardOf}, for many customers of one config. */
export function createShards(config: ShardConfig): (customer: string) => number[] {
  const view = viewOf(config);
  return (customer) => slotsIn(view, customer);
}

/** The config, ready for {@link slotsIn} and {@link dealtTo}. */
export function viewOf(config: ShardConfig): ShardView {
  const { totalHosts, hosts, drained = [] } = config;
  const vacant = [...(hosts ?? []).entries()].filter(([, host]) => host === '').map(([slot]) => slot);
  return { config, drained: new Set([...drained, ...vacant].filter((slot) => slot < totalHosts)) };
}

/** The slots of a customer in a view. */
export function slotsIn(view: ShardView, customer: string): number[] {
  const dealt = dealtTo(view, customer);
  return dealt.shardSize < 1 ? [] : assignShard(dealt);
}

/** What decides a customer's shard: the text that is hashed, how many slots it gets, and from which. */
export function dealtTo({ config, drained }: ShardView, customer: string): Dealt {
  const { totalHosts, customers, defaultShardSize } = config;
  const shardSize = Math.min(customers.get(customer) ?? defaultShardSize, totalHosts - drained.size);
  return { customer, totalHosts, shardSize, drained };
}
