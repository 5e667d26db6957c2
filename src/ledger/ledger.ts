import { existsSync } from 'node:fs';
import path from 'node:path';
import { LedgerError } from './ledger-error.ts';
import { ledgerFile } from './sqlite/file.ts';
import { readHistory, readLives, readStory } from './sqlite/read.ts';
import { openCurrent } from './sqlite/sqlite-store.ts';
import type { ReadOnlyLedger, StoreOptions } from './sqlite/sqlite-store.ts';
import { messageLine } from './sqlite/sqlite-error.ts';
import type { Store } from './store.ts';
import { ThreadedStore } from './threaded-store.ts';

export type { StoreOptions } from './sqlite/sqlite-store.ts';

/**
 * The store of a state directory; the first call creates both if needed. `load` rejects with LedgerError `ledger-locked` when another
 * daemon uses the directory, and `ledger-newer` when a newer shardplane wrote it.
 */
export function openStore(options: Omit<StoreOptions, 'clock'>): Store {
  return new ThreadedStore(options);
}

/** A ledger opened without the daemon, for queries only. */
export type LedgerReader = Pick<Store, 'history' | 'lives' | 'story' | 'close'>;

/**
 * Opens a ledger read-only; a daemon may be using it. Throws LedgerError: `ledger-missing`, `ledger-newer`, or `ledger-unreadable` with
 * the cause. `history` and `story` reject with SQLite's errors.
 */
export function openLedgerReadOnly(directory: string): LedgerReader {
  const file = path.join(directory, ledgerFile);
  if (!existsSync(file)) {
    throw new LedgerError(
      'ledger-missing',
      `there is no ledger at ${file}`,
      'start the daemon once, or name its state directory with --state',
    );
  }
  const { db, statements } = open(file);
  return {
    history: (query) => Promise.try(() => readHistory(statements, query)),
    lives: (query) => Promise.try(() => readLives(statements, query)),
    story: (prefix) => Promise.try(() => readStory(statements, prefix)),
    close: () => Promise.try(() => db.close()),
  };
}

function open(file: string): ReadOnlyLedger {
  try {
    return openCurrent(file, false);
  } catch (error) {
    if (error instanceof LedgerError) throw error;
    throw new LedgerError(
      'ledger-unreadable',
      `can't read ${file}: ${messageLine(error)}`,
      'run this as the user that the daemon runs as',
    );
  }
}
