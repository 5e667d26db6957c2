import { existsSync } from 'node:fs';
import path from 'node:path';
import { DurableLedger } from './durable.ts';
import { LedgerError, words } from './error.ts';
import { ledgerFile, openForReading } from './file.ts';
import { readHistory, readStory } from './history.ts';
import { isCurrent } from './schema.ts';
import { createStore } from './store.ts';
import type { Ledger, LedgerOptions } from './types.ts';

export type { Ledger, LedgerOptions, Restored } from './types.ts';

/**
 * Opens, and where needed creates, the ledger of a state directory. Throws LedgerError `ledger-locked` when another daemon uses it and
 * `ledger-newer` when a newer shardplane wrote it. With anything else that is wrong it works in memory, and `health` says so.
 */
export function openLedger(options: LedgerOptions): Ledger {
  return new DurableLedger(options);
}

/** The record without the daemon: for questions alone. */
export type LedgerReader = Pick<Ledger, 'history' | 'story' | 'close'>;

/**
 * Opens a ledger for reading, also beside a running daemon. Throws LedgerError: `ledger-missing`, `ledger-newer`, or `ledger-unreadable`
 * with the machine's words. `history` and `story` throw SQLite's errors.
 */
export function openLedgerReadOnly(directory: string): LedgerReader {
  const file = path.join(directory, ledgerFile);
  if (!existsSync(file)) {
    throw new LedgerError(
      'ledger-missing',
      `there is no ledger at ${file}`,
      'start the daemon once, or say where its state is with --state',
    );
  }
  const { db, statements } = openCurrent(file);
  return {
    history: (query) => readHistory(statements, query),
    story: (prefix) => readStory(statements, prefix),
    close: () => db.close(),
  };
}

function openCurrent(file: string) {
  try {
    const db = openForReading(file);
    if (isCurrent(db, file)) return createStore(db);
    db.close();
  } catch (error) {
    if (error instanceof LedgerError) throw error;
    throw new LedgerError(
      'ledger-unreadable',
      `can not read ${file}: ${words(error)}`,
      'run this as the user that the daemon runs as',
    );
  }
  throw new LedgerError(
    'ledger-unreadable',
    `${file} was written by an older shardplane`,
    'start the daemon once: it brings the ledger up to date',
  );
}
