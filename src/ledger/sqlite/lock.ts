import { DatabaseSync } from 'node:sqlite';
import { rmSync } from 'node:fs';
import { createPrivate } from './file.ts';
import { LedgerError } from '../error.ts';
import { resultCodes, sqliteCode } from './trouble.ts';

/** One daemon per state directory. The kernel lets go of it when the process ends, however it ends. */
export interface Lock {
  release(): void;
}

/**
 * Takes the lock of a state directory: an open write transaction on a database that holds nothing (an fcntl lock beneath,
 * so that nothing is stale after kill -9). Throws LedgerError `ledger-locked` when another process has it, and node:sqlite's own error
 * when the file can't be opened.
 */
export function takeLock(path: string): Lock {
  try {
    return lock(path);
  } catch (error) {
    if (sqliteCode(error) === resultCodes.busy) throw locked(path);
    if (sqliteCode(error) !== resultCodes.notADatabase) throw error;
    // Nobody can hold a lock on a file that is no database: something else wrote here.
    rmSync(path);
    return lock(path);
  }
}

function lock(path: string): Lock {
  createPrivate(path);
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN IMMEDIATE');
  } catch (error) {
    db.close();
    throw error;
  }
  return { release: () => db.close() };
}

function locked(path: string): LedgerError {
  return new LedgerError(
    'ledger-locked',
    `another shardplane daemon uses this state directory (${path} is locked)`,
    'stop it, or give this one a state directory of its own (state.directory, --state)',
  );
}
