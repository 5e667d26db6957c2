/** The prefix of all our runtime keys; the filter ignores others. */
export const keyPrefix = 'shuffle_sharding.';

/** The keys of a view: below `keyPrefix`, for the next view also below `nextPrefix` (docs/envoy.md). */
export const viewKeys = {
  totalHosts: 'total_hosts',
  defaultShardSize: 'default_shard_size',
  hosts: 'hosts',
  drain: 'drain',
  quarantineHosts: 'quarantine_hosts',
  version: 'version',
} as const;

/**
 * What a customer may have of its own: `key` ends its runtime key, as in the file; `list` holds those of all, packed. 0, or false for
 * `quarantine`: none, which takes back in the next view what the current one has.
 */
export const ownKeys = {
  sizes: { key: 'shard_size', list: 'sizes' },
  deals: { key: 'deal', list: 'deals' },
  quarantined: { key: 'quarantine', list: 'quarantined' },
} as const;

/** One of `ownKeys`. */
export type OwnKind = keyof typeof ownKeys;

/** After `keyPrefix`: the next view, which some customers use already; what it leaves out is as in the current one. */
export const nextPrefix = 'next.';

/** The keys below `nextPrefix` that say who uses the next view. */
export const nextKeys = { cutover: 'cutover', first: 'first' } as const;

const customerPrefix = 'customer.';
/** Built once: 100,000 keys are compared with them. */
const customerPrefixes = {
  '': `${keyPrefix}${customerPrefix}`,
  [nextPrefix]: `${keyPrefix}${nextPrefix}${customerPrefix}`,
} as const;

/** The full runtime key of a name in `viewKeys` (`view`: '' for the current one, or `nextPrefix`). */
export function viewKey(name: keyof typeof viewKeys, view: '' | typeof nextPrefix = ''): string {
  return `${keyPrefix}${view}${viewKeys[name]}`;
}

/** The full runtime key of a name in `nextKeys`. */
export function nextKey(name: keyof typeof nextKeys): string {
  return `${keyPrefix}${nextPrefix}${nextKeys[name]}`;
}

/** The runtime key of what one customer has of its own. */
export function customerKey(kind: OwnKind, id: string, view: '' | typeof nextPrefix = ''): string {
  return `${customerPrefixes[view]}${id}.${ownKeys[kind].key}`;
}

/** The runtime key of what all customers have, packed. */
export function listKey(kind: OwnKind, view: '' | typeof nextPrefix = ''): string {
  return `${keyPrefix}${view}${ownKeys[kind].list}`;
}
