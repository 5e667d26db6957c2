import type { Json } from '../config/config.ts';
import { customerOf } from '../release/runtime-keys.ts';

/** A release that changes more customers than this is recorded as changing every one. */
const maxListed = 1000;

type Fields = ReadonlyMap<string, Json>;

/** The customers whose shard size differs between two releases (null: there was none before), or `every`. */
export function changedCustomers(before: Fields | null, after: Fields): readonly string[] | 'every' {
  if (before === null) return 'every';
  const changed: string[] = [];
  for (const key of changedKeys(before, after)) {
    const id = customerOf(key);
    if (id !== null) changed.push(id);
    if (changed.length > maxListed) return 'every';
  }
  return changed;
}

function* changedKeys(before: Fields, after: Fields): Generator<string> {
  for (const [key, value] of after) if (before.get(key) !== value) yield key;
  for (const key of before.keys()) if (!after.has(key)) yield key;
}
