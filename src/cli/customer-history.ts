import { printable } from '../config/words.ts';
import { Configs } from './configs.ts';
import { readChanges, type CustomerFlags } from './customer-changes.ts';
import { formatCustomerHistory } from './customer-table.ts';
import { findDaemonOrNone } from './lives.ts';
import { printJson, settingsOf, useColor } from './options.ts';
import { follows } from './same-daemon.ts';

/** `shardplane history --customer ID`. */
export async function showCustomer(customer: string, flags: CustomerFlags & { json?: boolean }): Promise<void> {
  const link = await findDaemonOrNone(flags);
  const settings = settingsOf(flags);
  await using configs = await Configs.open(settings, link?.daemon ?? null);
  const found = await readChanges(customer, { link, flags, configs });
  if (flags.json) {
    printJson(found.entries);
    return;
  }
  const from = link
    ? link.daemon && `repo   ${printable(follows(link.daemon))}`
    : `no daemon answers: this is from the ledger in ${settings.state.directory}`;
  if (from !== null) process.stdout.write(`${from}\n`);
  process.stdout.write(formatCustomerHistory(customer, found, { color: useColor() }));
}
