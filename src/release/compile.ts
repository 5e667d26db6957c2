import type { Json, ShardConfig } from '../config/config.ts';
import type { Release } from './release.ts';
import { customerKey, viewKey } from './runtime-keys.ts';

/** Compiles a commit's config to the runtime layer that is pushed: the path in the YAML is the runtime key. */
export function compileRelease(config: ShardConfig, commit: { version: string; subject: string }): Release {
  return { version: commit.version, subject: commit.subject, fields: new Map(entries(config, commit.version)) };
}

function* entries(config: ShardConfig, version: string): Generator<[string, Json]> {
  const { drained = [] } = config;
  yield [viewKey('totalHosts'), config.totalHosts];
  yield [viewKey('defaultShardSize'), config.defaultShardSize];
  for (const [id, shardSize] of config.customers) yield [customerKey(id), shardSize];
  if (config.hosts !== null) yield [viewKey('hosts'), config.hosts.join(',')];
  if (drained.length > 0) yield [viewKey('drain'), `,${drained.join(',')},`];
  yield [viewKey('version'), version];
  yield* config.runtime;
}
