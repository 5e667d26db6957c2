/** The prefix of all our runtime keys; the filter ignores others. */
export const keyPrefix = 'shuffle_sharding.';

/** The keys of a view: below `keyPrefix`, for the next view also below `nextPrefix` (docs/envoy.md). */
export const viewKeys = {
  totalHosts: 'total_hosts',
  defaultShardSize: 'default_shard_size',
  hosts: 'hosts',
  drain: 'drain',
  version: 'version',
  sizes: 'sizes',
} as const;

/** After `keyPrefix`: the next view, which some customers use already; what it leaves out is as in the current one. */
export const nextPrefix = 'next.';

/** The keys below `nextPrefix` that say who uses the next view. */
export const nextKeys = { cutover: 'cutover', first: 'first' } as const;

const customerPrefix = 'customer.';
const customerSuffix = '.shard_size';
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

/** The runtime key of a customer's shard size. */
export function customerKey(id: string, view: '' | typeof nextPrefix = ''): string {
  return `${customerPrefixes[view]}${id}${customerSuffix}`;
}
