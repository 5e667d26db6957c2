import type { Release } from '../release/release.ts';
import { customerKey } from '../release/compile.ts';
import { assignShard, rankSlots } from '../shard/assign.ts';

/** A customer's shard under one release, and why it is that: `shardplane explain --json`. */
export interface Explanation {
  readonly customer: string;
  /** The release that says so. */
  readonly version: string;
  readonly totalHosts: number;
  readonly shardSize: number;
  /** Where the size comes from. */
  readonly sizeFrom: 'customer' | 'default';
  /** As in `x-shard-assignment`: 1-based, in rank order. */
  readonly assignment: readonly number[];
  readonly slots: readonly { readonly slot: number; readonly host: string | null; readonly score: number }[];
  /** Of the other customers that the config names. */
  readonly neighbours: {
    readonly configured: number;
    /** How many share one of its hosts or more. */
    readonly sharingSome: number;
    /** Those whose whole shard is its own, or lies within it: its poison request takes them down. The first 20. */
    readonly sharingAll: readonly string[];
  };
}

const prefix = 'shuffle_sharding.customer.';
const suffix = '.shard_size';
const maxNamed = 20;

/** What envoy/shuffle_shard.lua does with these values, told. */
export function explainLayer({ version, fields }: Release, customer: string): Explanation {
  const totalHosts = Number(fields.get('shuffle_sharding.total_hosts'));
  const defaultSize = Number(fields.get('shuffle_sharding.default_shard_size'));
  const own = fields.get(customerKey(customer));
  const shardSize = Number(own ?? defaultSize);
  const hosts = fields.get('shuffle_sharding.hosts');
  const addresses = typeof hosts === 'string' ? hosts.split(',') : null;
  const ranked = rankSlots({ customer, totalHosts, shardSize });
  return {
    customer,
    version,
    totalHosts,
    shardSize,
    sizeFrom: own === undefined ? 'default' : 'customer',
    assignment: ranked.map(({ slot }) => slot + 1),
    slots: ranked.map(({ slot, score }) => ({ slot: slot + 1, host: addresses?.[slot] ?? null, score })),
    neighbours: findNeighbours({ fields, totalHosts, customer, shard: new Set(ranked.map(({ slot }) => slot)) }),
  };
}

function findNeighbours(layer: {
  fields: Release['fields'];
  totalHosts: number;
  customer: string;
  shard: ReadonlySet<number>;
}): Explanation['neighbours'] {
  const { fields, totalHosts, shard } = layer;
  let configured = 0;
  let sharingSome = 0;
  const sharingAll: string[] = [];
  for (const [key, size] of fields) {
    if (!key.startsWith(prefix) || !key.endsWith(suffix)) continue;
    const customer = key.slice(prefix.length, -suffix.length);
    if (customer === layer.customer) continue;
    configured += 1;
    const slots = assignShard({ customer, totalHosts, shardSize: Number(size) });
    if (slots.some((slot) => shard.has(slot))) sharingSome += 1;
    if (sharingAll.length < maxNamed && slots.every((slot) => shard.has(slot))) sharingAll.push(customer);
  }
  return { configured, sharingSome, sharingAll };
}
