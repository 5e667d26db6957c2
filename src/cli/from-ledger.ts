import { printable } from '../config/words.ts';
import { openLedgerReadOnly, type LedgerReader } from '../ledger/ledger.ts';
import { findDaemon, NoDaemon, type Link } from './client.ts';
import { settingsOf, type SettingsFlags } from './options.ts';
import { follows } from './same-daemon.ts';

/** The daemon that the flags mean; null when none answers. Throws CliError as findDaemon for every other failure. */
export async function findDaemonOrNone(flags: SettingsFlags): Promise<Link | null> {
  try {
    return await findDaemon(flags, 'question');
  } catch (error) {
    if (error instanceof NoDaemon) return null;
    throw error;
  }
}

/** Reads the ledger of a daemon that does not answer. Throws LedgerError. */
export async function readLedger<T>(flags: SettingsFlags, read: (ledger: LedgerReader) => Promise<T>): Promise<T> {
  const ledger = openLedgerReadOnly(settingsOf(flags).state.directory);
  try {
    return await read(ledger);
  } finally {
    await ledger.close();
  }
}

/** Prints where an answer is from; nothing for an older daemon, which doesn't say what it follows. */
export function printSource(link: Link | null, flags: SettingsFlags): void {
  if (link === null)
    process.stdout.write(`no daemon answers: this is from the ledger in ${settingsOf(flags).state.directory}\n`);
  else if (link.daemon !== null) process.stdout.write(`repo   ${printable(follows(link.daemon))}\n`);
}
