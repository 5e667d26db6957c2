import type { ShardConfig } from '../config/config.ts';
import type { Release } from './release.ts';

const customerPrefix = 'shuffle_sharding.customer.';
const customerSuffix = '.shard_size';

/** The sharding part of a release's config, read back from its layer: what compileRelease made of it, undone. */
export function layerConfig({ fields }: Release): ShardConfig {
  const hosts = fields.get('shuffle_sharding.hosts');
  return {
    totalHosts: Number(fields.get('shuffle_sharding.total_hosts')),
    defaultShardSize: Number(fields.get('shuffle_sharding.default_shard_size')),
    customers: new Map(customersOf(fields)),
    hosts: typeof hosts === 'string' ? hosts.split(',') : null,
    runtime: new Map(),
  };
}

function* customersOf(fields: Release['fields']): Generator<[string, number]> {
  for (const [key, size] of fields)
    if (key.startsWith(customerPrefix) && key.endsWith(customerSuffix))
      yield [key.slice(customerPrefix.length, -customerSuffix.length), Number(size)];
}
