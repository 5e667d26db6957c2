import type { Json } from '../config/config.ts';

const prefix = 'shuffle_sharding.customer.';
const suffix = '.shard_size';

/** More changed customers than this in one release are recorded as "every". */
const listedAtMost = 1000;

type Fields = ReadonlyMap<string, Json>;

/** The customers whose shard size differs between two releases (null: there was none before), or `every`. */
export function changedCustomers(before: Fields | null, after: Fields): readonly string[] | 'every' {
  if (before === null) return 'every';
  const changed: string[] = [];
  for (const [key, value] of after) if (before.get(key) !== value) note(changed, key);
  for (const key of before.keys()) if (!after.has(key)) note(changed, key);
  return changed.length > listedAtMost ? 'every' : changed;
}

function note(changed: string[], key: string): void {
  if (key.startsWith(prefix) && key.endsWith(suffix)) changed.push(key.slice(prefix.length, -suffix.length));
}
