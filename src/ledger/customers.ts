import { namedCustomers, type ShardConfig } from '../config/config.ts';

/** A release that changes more customers than this is recorded as changing every one. */
const maxListed = 1000;

/**
 * The customers whose own entry (size, deal, quarantine) differs between two configs (null: there was none before), or `every`. What
 * becomes of their hosts when the list of hosts changes has to be computed: see cli/customer-history.ts.
 */
export function changedCustomers(before: ShardConfig | null, after: ShardConfig): readonly string[] | 'every' {
  if (before === null) return 'every';
  const changed: string[] = [];
  for (const id of changedIds(before, after)) {
    changed.push(id);
    if (changed.length > maxListed) return 'every';
  }
  return changed;
}

function* changedIds(before: ShardConfig, after: ShardConfig): Generator<string> {
  const [old, now] = [namedCustomers(before), namedCustomers(after)];
  for (const id of now.keys()) if (isChanged(id, before, after)) yield id;
  for (const id of old.keys()) if (!now.has(id)) yield id;
}

function isChanged(id: string, before: ShardConfig, after: ShardConfig): boolean {
  return (
    before.customers.get(id) !== after.customers.get(id) ||
    before.deals?.get(id) !== after.deals?.get(id) ||
    (before.quarantined?.has(id) === true) !== (after.quarantined?.has(id) === true)
  );
}
