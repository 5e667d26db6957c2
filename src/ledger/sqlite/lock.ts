import { DatabaseSync } from 'node:sqlite';
import { rmSync } from 'node:fs';
import { createPrivate } from './file.ts';
import { LedgerError } from '../ledger-error.ts';
import { resultCodes, sqliteCode } from './sqlite-error.ts';

/** Allows one daemon per state directory. The kernel releases it however the process ends. */
export interface Lock {
  release(): void;
}

/**
 * Takes the lock of a state directory: an open write transaction on an empty database (an fcntl lock underneath, so that kill -9 leaves
 * no stale lock). Throws LedgerError `ledger-locked` when another process has it, and node:sqlite's own error when the file can't be
 * opened.
 */
export function takeLock(path: string): Lock {
  try {
    return lock(path);
  } catch (error) {
    if (sqliteCode(error) === resultCodes.busy) throw locked(path);
    if (sqliteCode(error) !== resultCodes.notADatabase) throw error;
    // Something else wrote here: nobody can hold the lock on a file that is no database.
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
