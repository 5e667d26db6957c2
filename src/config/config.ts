/** Any JSON value: what a runtime entry may hold under a schema of the user's own. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A valid shard-config.yaml (design: "The file"). */
export interface ShardConfig {
  /** How many slots customers are dealt over; equals `hosts.length` where hosts are given. */
  readonly totalHosts: number;
  readonly defaultShardSize: number;
  /** Shard size by customer id, in the file's order (ids that look like integers first). */
  readonly customers: ReadonlyMap<string, number>;
  /** `host:port` of each slot in order, or null in cluster mode. */
  readonly hosts: readonly string[] | null;
  /** The other runtime keys to push, flat and dotted; values of any shape under a schema of the user's own. */
  readonly runtime: ReadonlyMap<string, Json>;
}
