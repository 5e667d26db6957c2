import type { Json, ShardConfig } from '../config/config.ts';
import type { Release } from './release.ts';

const prefix = 'shuffle_sharding';

/** A valid config of one commit, as the runtime layer that is pushed: the path in the YAML is the runtime key. */
export function compileRelease(config: ShardConfig, commit: { version: string; subject: string }): Release {
  return { version: commit.version, subject: commit.subject, fields: new Map(entries(config, commit.version)) };
}

function* entries(config: ShardConfig, version: string): Generator<[string, Json]> {
  yield [`${prefix}.total_hosts`, config.totalHosts];
  yield [`${prefix}.default_shard_size`, config.defaultShardSize];
  for (const [id, shardSize] of config.customers) yield [customerKey(id), shardSize];
  if (config.hosts !== null) yield [`${prefix}.hosts`, config.hosts.join(',')];
  yield [`${prefix}.version`, version];
  yield* config.runtime;
}

/** The runtime key of a customer's shard size. */
export function customerKey(id: string): string {
  return `${prefix}.customer.${id}.shard_size`;
}
