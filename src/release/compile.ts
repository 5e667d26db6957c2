import type { Json, NextView, ShardConfig } from '../config/config.ts';
import type { Version } from '../ids.ts';
import { packIds, packSizes, packsSizes, type Encoding } from './packed.ts';
import type { Release } from './release.ts';
import { customerKey, nextKey, nextPrefix, viewKey } from './runtime-keys.ts';

type Entries = Iterable<readonly [string, Json]>;

/** The release of a commit's config. */
export function compileRelease(config: ShardConfig, commit: { version: string; subject: string }): Release {
  return { version: commit.version as Version, subject: commit.subject, config };
}

/**
 * The runtime layer that is pushed for a release: flat keys to values, `shuffle_sharding.version` included. But for customers' sizes
 * that are packed, and for lists, a key is the path in the YAML.
 */
export function toFields(release: Release, encoding: Encoding = 'keys'): ReadonlyMap<string, Json> {
  return new Map(entriesOf(release, encoding));
}

function* entriesOf({ version, config, next }: Release, encoding: Encoding): Generator<readonly [string, Json]> {
  const { customers } = config;
  const changed = next === undefined ? new Map<string, number>() : changedSizes(customers, next.config.customers);
  const isPacked = packsSizes(customers.size + changed.size, encoding);
  yield* viewEntries({ config, version, sizes: customers, isPacked, view: '' });
  if (next !== undefined) yield* nextEntries(next, changed, isPacked);
  yield* config.runtime;
}

interface View {
  readonly config: ShardConfig;
  readonly version: string;
  readonly sizes: ReadonlyMap<string, number>;
  readonly isPacked: boolean;
  readonly view: '' | typeof nextPrefix;
}

function* viewEntries({ config, version, sizes, isPacked, view }: View): Generator<readonly [string, Json]> {
  const { totalHosts, defaultShardSize, hosts, drained = [] } = config;
  yield [viewKey('totalHosts', view), totalHosts];
  yield [viewKey('defaultShardSize', view), defaultShardSize];
  yield* sizeEntries(sizes, isPacked, view);
  if (hosts !== null) yield [viewKey('hosts', view), hosts.join(',')];
  // A next view inherits what it leaves out, so it has to list that none are drained.
  if (drained.length > 0 || view !== '') yield [viewKey('drain', view), packIds(drained.map(String))];
  yield [viewKey('version', view), version];
}

function* nextEntries(next: NextView, changed: ReadonlyMap<string, number>, isPacked: boolean): Entries {
  const { config, version, cutover, first } = next;
  yield* viewEntries({ config, version, sizes: changed, isPacked, view: nextPrefix });
  yield [nextKey('cutover'), cutover];
  if (first.size > 0) yield [nextKey('first'), packIds(first)];
}

function* sizeEntries(sizes: View['sizes'], isPacked: boolean, view: View['view']): Entries {
  if (!isPacked) for (const [id, size] of sizes) yield [customerKey(id, view), size];
  else if (sizes.size > 0) yield [viewKey('sizes', view), packSizes(sizes)];
}

/** The sizes that differ in the next view; 0: the default again. */
function changedSizes(now: View['sizes'], next: View['sizes']): Map<string, number> {
  const changed = new Map([...next].filter(([id, size]) => now.get(id) !== size));
  for (const id of now.keys()) if (!next.has(id)) changed.set(id, 0);
  return changed;
}
