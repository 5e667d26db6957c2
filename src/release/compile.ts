import type { Json, NextView, ShardConfig } from '../config/config.ts';
import type { Version } from '../ids.ts';
import { packIds, packSizes, packsSizes, type Encoding } from './packed.ts';
import type { Release } from './release.ts';
import { customerKey, listKey, nextKey, nextPrefix, ownKeys, viewKey, type OwnKind } from './runtime-keys.ts';

type Entries = Iterable<readonly [string, Json]>;

/** The release of a commit's config. */
export function compileRelease(config: ShardConfig, commit: { version: string; subject: string }): Release {
  return { version: commit.version as Version, subject: commit.subject, config };
}

/**
 * The runtime layer that is pushed for a release: flat keys to values, `shuffle_sharding.version` included. But for what
 * customers have that is packed, and for lists, a key is the path in the YAML.
 */
export function toFields(release: Release, encoding: Encoding = 'keys'): ReadonlyMap<string, Json> {
  return new Map(entriesOf(release, encoding));
}

function* entriesOf({ version, config, next }: Release, encoding: Encoding): Entries {
  const own = ownOf(config);
  const changed = next === undefined ? null : mapKinds((kind) => changedIn(own[kind], ownOf(next.config)[kind]));
  const isPacked = packsSizes(countOf(own) + countOf(changed), encoding);
  yield* viewEntries({ config, version, own, isPacked, view: '' });
  if (next !== undefined && changed !== null) yield* nextEntries(next, { changed, isPacked, current: config });
  yield* config.runtime;
}

/** What customers have of their own, by kind: their sizes, deals, and 1 for each in quarantine. */
type Own = Readonly<Record<OwnKind, ReadonlyMap<string, number>>>;

function ownOf({ customers, deals = new Map<string, number>(), quarantined = new Set() }: ShardConfig): Own {
  return { sizes: customers, deals, quarantined: new Map([...quarantined].map((id) => [id, 1])) };
}

const kinds = Object.keys(ownKeys) as OwnKind[];

function mapKinds(toMap: (kind: OwnKind) => ReadonlyMap<string, number>): Own {
  return { sizes: toMap('sizes'), deals: toMap('deals'), quarantined: toMap('quarantined') };
}

function countOf(own: Own | null): number {
  return own === null ? 0 : kinds.reduce((sum, kind) => sum + own[kind].size, 0);
}

interface View {
  readonly config: ShardConfig;
  readonly version: string;
  readonly own: Own;
  readonly isPacked: boolean;
  readonly view: '' | typeof nextPrefix;
}

function* viewEntries({ config, version, own, isPacked, view }: View): Generator<readonly [string, Json]> {
  const { totalHosts, defaultShardSize, hosts, drained = [], quarantineHosts = 0 } = config;
  yield [viewKey('totalHosts', view), totalHosts];
  yield [viewKey('defaultShardSize', view), defaultShardSize];
  for (const kind of kinds) yield* ownEntries(kind, own[kind], { isPacked, view });
  if (hosts !== null) yield [viewKey('hosts', view), hosts.join(',')];
  // A next view inherits what it leaves out, so it has to list that none are drained.
  if (drained.length > 0 || view !== '') yield [viewKey('drain', view), packIds(drained.map(String))];
  if (quarantineHosts > 0) yield [viewKey('quarantineHosts', view), quarantineHosts];
  yield [viewKey('version', view), version];
}

interface NextOptions {
  readonly changed: Own;
  readonly isPacked: boolean;
  readonly current: ShardConfig;
}

function* nextEntries(next: NextView, { changed, isPacked, current }: NextOptions): Entries {
  const { config, version, cutover, first } = next;
  yield* viewEntries({ config, version, own: changed, isPacked, view: nextPrefix });
  const { quarantineHosts = 0 } = config;
  if (quarantineHosts === 0 && current.quarantineHosts) yield [viewKey('quarantineHosts', nextPrefix), 0];
  yield [nextKey('cutover'), cutover];
  if (first.size > 0) yield [nextKey('first'), packIds(first)];
}

function* ownEntries(
  kind: OwnKind,
  values: ReadonlyMap<string, number>,
  { isPacked, view }: Pick<View, 'isPacked' | 'view'>,
): Entries {
  if (isPacked && values.size > 0) yield [listKey(kind, view), packSizes(values)];
  if (isPacked) return;
  // as the file has it
  const toValue = (value: number) => (kind === 'quarantined' ? value > 0 : value);
  for (const [id, value] of values) yield [customerKey(kind, id, view), toValue(value)];
}

/** What differs in the next view; 0: nothing of its own again. */
function changedIn(now: ReadonlyMap<string, number>, next: ReadonlyMap<string, number>): Map<string, number> {
  const changed = new Map([...next].filter(([id, value]) => now.get(id) !== value));
  for (const id of now.keys()) if (!next.has(id)) changed.set(id, 0);
  return changed;
}
