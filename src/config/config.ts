/** Any JSON value: what a runtime entry may hold under a schema of the user's own. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A valid shard-config.yaml (design: "The file"). */
export interface ShardConfig {
  /** The number of slots; equals `hosts.length` where hosts are given. */
  readonly totalHosts: number;
  readonly defaultShardSize: number;
  /** Shard size by customer id, in the file's order (ids that look like integers first). */
  readonly customers: ReadonlyMap<string, number>;
  /** `host:port` of each slot in order ('': vacant, as good as drained), or null in cluster mode. */
  readonly hosts: readonly string[] | null;
  /** Slots (from 0, ascending) that get no customers: the ranking skips them. Left out when there are none. */
  readonly drained?: readonly number[];
  /** How often a customer was dealt anew (from 1): its shard is that of the text `id#N`. Left out when there are none. */
  readonly deals?: ReadonlyMap<string, number>;
  /** How many slots, the last ones, only quarantined customers get. Left out when it is 0. */
  readonly quarantineHosts?: number;
  /** The customers that get slots of the quarantine alone. Left out when there are none. */
  readonly quarantined?: ReadonlySet<string>;
  /** When a customer's quarantine should be over, in ms since 1970: then a problem says so. Left out when there are none. */
  readonly quarantineUntil?: ReadonlyMap<string, number>;
  /** The other runtime keys to push, flat and dotted; values of any shape under a schema of the user's own. */
  readonly runtime: ReadonlyMap<string, Json>;
}

/** A set of customers' ids. */
export type Customers = Pick<ReadonlySet<string>, 'has' | 'keys' | 'size'>;

/** The customers that a config names: those with a size of their own first. */
export function namedCustomers({ customers, deals, quarantined }: ShardConfig): Customers {
  if (deals === undefined && quarantined === undefined) return customers;
  return new Set([...customers.keys(), ...(deals?.keys() ?? []), ...(quarantined ?? [])]);
}

/** A second view of the sharding, beside the current one: some customers use it already, the others will later. */
export interface NextView {
  readonly config: ShardConfig;
  /** The version of the release that it comes from. */
  readonly version: string;
  /** 0 to 10,000: the share of customers that use it, in hundredths of a percent. */
  readonly cutover: number;
  /** Customers that use it whatever the cutover is. */
  readonly first: ReadonlySet<string>;
}
