import { Configs } from './configs.ts';
import { readChanges, type CustomerFlags } from './customer-changes.ts';
import { formatCustomerHistory } from './customer-table.ts';
import { findDaemonOrNone, printSource } from './from-ledger.ts';
import { printJson, settingsOf, useColor } from './options.ts';

/** `shardplane history --customer ID`. */
export async function showCustomer(customer: string, flags: CustomerFlags & { json?: boolean }): Promise<void> {
  const link = await findDaemonOrNone(flags);
  await using configs = await Configs.open(settingsOf(flags), link?.daemon ?? null);
  const found = await readChanges(customer, { link, flags, configs });
  if (flags.json) {
    printJson(found.entries);
    return;
  }
  printSource(link, flags);
  process.stdout.write(formatCustomerHistory(customer, found, { color: useColor() }));
}
