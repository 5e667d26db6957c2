import type { DatabaseSync } from 'node:sqlite';
import { LedgerError } from '../ledger-error.ts';
import { applicationId, migrations } from './migrations.ts';
import { CorruptLedger } from './sqlite-error.ts';

/**
 * Brings a database to the newest schema, each step in a transaction of its own.
 * Throws LedgerError `ledger-newer` before it changes anything, and CorruptLedger when the database is another program's.
 */
export function migrate(db: DatabaseSync, path: string): void {
  const version = checkSchema(db, path);
  migrations.slice(version).forEach((sql, step) => {
    transaction(db, () => db.exec(`${sql}; PRAGMA user_version = ${version + step + 1}`));
  });
}

/** The schema version of a database; throws what `migrate` does. */
function checkSchema(db: DatabaseSync, path: string): number {
  const version = Number(pragma(db, 'user_version'));
  const owner = Number(pragma(db, 'application_id'));
  if (owner !== applicationId && (owner !== 0 || version !== 0))
    throw new CorruptLedger('it is a database of another program');
  if (version > migrations.length) throw newer(path, version);
  return version;
}

/** Throws what `checkSchema` does, and LedgerError for a database with an older schema. */
export function requireCurrent(db: DatabaseSync, path: string): void {
  if (checkSchema(db, path) === migrations.length) return;
  throw new LedgerError(
    'ledger-unreadable',
    `${path} was written by an older shardplane`,
    'start the daemon once: it migrates the ledger',
  );
}

function newer(path: string, version: number): LedgerError {
  return new LedgerError(
    'ledger-newer',
    `${path} was written by a newer shardplane (schema ${version}, this one knows ${migrations.length})`,
    'run that version again, or move the file away to start a new ledger',
  );
}

/** Runs `work` in one write transaction; rolls back and rethrows when it throws. */
export function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    // SQLite may have rolled back by itself, and a second ROLLBACK would hide the error.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** The value of a pragma that returns one row. */
export function pragma(db: DatabaseSync, name: string): unknown {
  const row = db.prepare(`PRAGMA ${name}`).get();
  return row === undefined ? undefined : Object.values(row)[0];
}
