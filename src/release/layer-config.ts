import type { Json, NextView, ShardConfig } from '../config/config.ts';
import { unpackIds } from './packed.ts';
import type { Release } from './release.ts';
import { customerOf, keyPrefix, nextKey, nextPrefix, viewKey } from './runtime-keys.ts';

type Fields = ReadonlyMap<string, Json>;
type View = '' | typeof nextPrefix;

/** The sharding part of a release's config, read back from its layer: the inverse of compileRelease. */
export function layerConfig({ fields }: Release): ShardConfig {
  return configOf({ fields, view: '', customers: new Map(customersOf(fields, '')) });
}

/** The next view of a release, and who uses it; null when it has none. What it leaves out is as in the current one. */
export function layerNext({ version, fields }: Release): NextView | null {
  if (![...fields.keys()].some((key) => key.startsWith(keyPrefix + nextPrefix))) return null;
  const customers = new Map(customersOf(fields, ''));
  for (const [id, size] of customersOf(fields, nextPrefix))
    if (size === 0) customers.delete(id);
    else customers.set(id, size);
  return {
    config: configOf({ fields, view: nextPrefix, customers }),
    version: textOf(fields.get(viewKey('version', nextPrefix))) || version,
    cutover: Number(fields.get(nextKey('cutover')) ?? 0),
    first: new Set(unpackIds(textOf(fields.get(nextKey('first'))))),
  };
}

function configOf({
  fields,
  view,
  customers,
}: {
  fields: Fields;
  view: View;
  customers: ShardConfig['customers'];
}): ShardConfig {
  const get = (name: Parameters<typeof viewKey>[0]) => fields.get(viewKey(name, view)) ?? fields.get(viewKey(name));
  const hosts = get('hosts');
  const drained = textOf(get('drain'))
    .split(',')
    .filter((slot) => slot !== '')
    .map(Number);
  return {
    totalHosts: Number(get('totalHosts')),
    defaultShardSize: Number(get('defaultShardSize')),
    customers,
    hosts: typeof hosts === 'string' ? hosts.split(',') : null,
    ...(drained.length > 0 && { drained }),
    runtime: new Map(),
  };
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function* customersOf(fields: Fields, view: View): Generator<[string, number]> {
  for (const [key, size] of fields) {
    const id = customerOf(key, view);
    if (id !== null) yield [id, Number(size)];
  }
}
