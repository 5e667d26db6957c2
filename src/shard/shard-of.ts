import type { ShardConfig } from '../config/config.ts';
import { assignShard, type ShardRequest } from './assign.ts';

/** Stands for the customers that no config names: no customer's id is empty. */
export const unnamed = '';

/** A config with what is the same for all of its customers, computed once. */
export interface ShardView {
  readonly config: ShardConfig;
  /** The slots that get no customers: drained and vacant ones. */
  readonly drained: ReadonlySet<number>;
  /** What a customer passes over: those, and the quarantine's. */
  readonly closed: ReadonlySet<number>;
  /** What a quarantined customer passes over: all but the quarantine's. */
  readonly closedApart: ReadonlySet<number>;
}

/** What is asked of `assignShard` for a customer. A size of 0 when no slot is left. */
export interface Dealt extends ShardRequest {
  /** Drained and vacant slots, and those of the quarantine, or all the others. */
  readonly drained: ReadonlySet<number>;
  readonly inQuarantine: boolean;
}

/** A customer's slots under a valid config, from 0, best first. For many customers use {@link slotsIn}. */
export function shardOf(config: ShardConfig, customer: string): number[] {
  return slotsIn(viewOf(config), customer);
}

/** The config, ready for {@link slotsIn} and {@link dealtTo}. */
export function viewOf(config: ShardConfig): ShardView {
  const { totalHosts, hosts, drained = [] } = config;
  const vacant = [...(hosts ?? []).entries()].filter(([, host]) => host === '').map(([slot]) => slot);
  const unused = new Set([...drained, ...vacant].filter((slot) => slot < totalHosts));
  return { config, drained: unused, ...toClosed(config, unused) };
}

/** The same as set_apart in envoy/src/view.lua. */
function toClosed({ totalHosts, quarantineHosts = 0 }: ShardConfig, drained: ReadonlySet<number>) {
  if (quarantineHosts === 0) return { closed: drained, closedApart: drained };
  const slots = Array.from({ length: totalHosts }, (_, slot) => slot);
  const others = new Set(slots.slice(0, -quarantineHosts));
  const apart = slots.slice(-quarantineHosts);
  // quarantine holds though all of its slots are drained or vacant
  const free = apart.some((slot) => !drained.has(slot));
  return { closed: new Set([...drained, ...apart]), closedApart: free ? others.union(drained) : others };
}

/** The slots of a customer in a view. */
export function slotsIn(view: ShardView, customer: string): number[] {
  const dealt = dealtTo(view, customer);
  return dealt.shardSize < 1 ? [] : assignShard(dealt);
}

/** What decides a customer's shard: the text that is hashed, how many slots it gets, and from which. */
export function dealtTo({ config, closed, closedApart }: ShardView, customer: string): Dealt {
  const { totalHosts, customers, defaultShardSize, deals, quarantined } = config;
  const inQuarantine = quarantined?.has(customer) === true;
  const drained = inQuarantine ? closedApart : closed;
  const shardSize = Math.min(customers.get(customer) ?? defaultShardSize, totalHosts - drained.size);
  return { customer: hashedText(customer, deals?.get(customer)), totalHosts, shardSize, drained, inQuarantine };
}

/** The same slots with the same hosts are open, and in quarantine: then a customer's shard is another only by what it has of its own. */
export function isSameLayout(a: ShardView, b: ShardView): boolean {
  const hosts = b.config.hosts ?? [];
  return (
    a.config.totalHosts === b.config.totalHosts &&
    a.config.quarantineHosts === b.config.quarantineHosts &&
    (a.config.hosts === null) === (b.config.hosts === null) &&
    (a.config.hosts ?? []).every((host, slot) => host === hosts[slot]) &&
    a.drained.size === b.drained.size &&
    a.drained.isSubsetOf(b.drained)
  );
}

/** Under the same layout, the same shard. */
export function isSameDeal(a: Dealt, b: Dealt): boolean {
  return a.shardSize === b.shardSize && a.customer === b.customer && a.inQuarantine === b.inQuarantine;
}

/** What is hashed of a customer who was dealt anew so often (0: never). */
export function hashedText(customer: string, deal = 0): string {
  return deal === 0 ? customer : `${customer}#${deal}`;
}
