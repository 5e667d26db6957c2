import type { ShardConfig } from '../config/config.ts';

/** A release that changes more customers than this is recorded as changing every one. */
const maxListed = 1000;

/** The customers whose shard size differs between two configs (null: there was none before), or `every`. */
export function changedCustomers(before: ShardConfig | null, after: ShardConfig): readonly string[] | 'every' {
  if (before === null) return 'every';
  const changed: string[] = [];
  for (const id of changedIds(before.customers, after.customers)) {
    changed.push(id);
    if (changed.length > maxListed) return 'every';
  }
  return changed;
}

type Sizes = ShardConfig['customers'];

function* changedIds(before: Sizes, after: Sizes): Generator<string> {
  for (const [id, size] of after) if (before.get(id) !== size) yield id;
  for (const id of before.keys()) if (!after.has(id)) yield id;
}
