import type { DatabaseSync } from 'node:sqlite';
import { CorruptLedger, LedgerError } from './error.ts';

/** `PRAGMA application_id` of a ledger: "shpl". */
const applicationId = 0x7368706c;

/**
 * Migration n brings `user_version` from n to n + 1. What has landed is never edited; add another.
 * Times are milliseconds since the epoch; `events` is the log, the other tables are what it amounts to.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE revisions (
    id INTEGER PRIMARY KEY,               -- the order in which they were first seen
    version TEXT NOT NULL UNIQUE,
    subject TEXT NOT NULL,
    author TEXT NOT NULL,
    committed_at TEXT NOT NULL,           -- RFC 3339
    seen_at INTEGER NOT NULL,
    diagnostics TEXT NOT NULL,            -- JSON array
    outcome TEXT,                         -- null: not decided yet
    outcome_at INTEGER,
    reason TEXT,
    pushed_at INTEGER,                    -- of its newest push:
    settled_at INTEGER,
    connected INTEGER,
    acked INTEGER,
    refused INTEGER,
    unanswered INTEGER,
    every_customer INTEGER NOT NULL DEFAULT 0 -- 1: it changes more customers than "changes" lists
  ) STRICT;
  CREATE INDEX revisions_by_outcome ON revisions (outcome, id);

  CREATE TABLE releases (
    version TEXT PRIMARY KEY REFERENCES revisions (version) ON DELETE CASCADE,
    stored_id INTEGER NOT NULL,           -- the order in which they were last stored
    subject TEXT NOT NULL,
    fields TEXT NOT NULL,                 -- JSON array of [key, value]
    resource BLOB NOT NULL
  ) STRICT;

  CREATE TABLE changes (                  -- which customers a release changes
    customer TEXT NOT NULL,
    version TEXT NOT NULL REFERENCES revisions (version) ON DELETE CASCADE,
    PRIMARY KEY (customer, version)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX changes_by_version ON changes (version);

  CREATE TABLE marks (
    version TEXT NOT NULL REFERENCES revisions (version) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('pinned', 'held', 'accepted')),
    at INTEGER NOT NULL,
    by TEXT,
    reason TEXT,
    refusal TEXT,                         -- JSON, of a pin
    PRIMARY KEY (version, kind)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    version TEXT NOT NULL REFERENCES revisions (version) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    by TEXT,
    detail TEXT NOT NULL                  -- JSON
  ) STRICT;
  CREATE INDEX events_by_version ON events (version, id);

  CREATE TABLE fleet (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    live TEXT REFERENCES releases (version),
    live_since INTEGER,
    live_proven INTEGER,
    proven TEXT REFERENCES releases (version),
    head TEXT REFERENCES revisions (version),
    tip TEXT,
    seq INTEGER NOT NULL
  ) STRICT;
  INSERT INTO fleet (one, seq) VALUES (1, 0);
  PRAGMA application_id = ${applicationId};
  `,
  `
  CREATE TABLE muted (                    -- nodes whose vote an operator has taken away
    node TEXT PRIMARY KEY,                -- node.id
    at INTEGER NOT NULL,
    by TEXT
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE contents (                 -- what was live, whatever its commit
    id INTEGER PRIMARY KEY,               -- the order in which they last became it
    digest TEXT NOT NULL UNIQUE
  ) STRICT;
  `,
];

/**
 * Brings a database to the newest schema, each step in a transaction of its own.
 * Throws LedgerError `ledger-newer` before it touches anything, and CorruptLedger when the database is some other program's.
 */
export function migrate(db: DatabaseSync, path: string): void {
  const version = checkSchema(db, path);
  migrations.slice(version).forEach((sql, step) => {
    transaction(db, () => db.exec(`${sql}; PRAGMA user_version = ${version + step + 1}`));
  });
}

/** The schema version that a database has; throws as `migrate` does. */
export function checkSchema(db: DatabaseSync, path: string): number {
  const version = Number(pragma(db, 'user_version'));
  const owner = Number(pragma(db, 'application_id'));
  if (owner !== applicationId && (owner !== 0 || version !== 0))
    throw new CorruptLedger('it is a database of another program');
  if (version > migrations.length) throw newer(path, version);
  return version;
}

/** Whether a database has the schema that this program writes. */
export function isCurrent(db: DatabaseSync, path: string): boolean {
  return checkSchema(db, path) === migrations.length;
}

function newer(path: string, version: number): LedgerError {
  return new LedgerError(
    'ledger-newer',
    `${path} was written by a newer shardplane (schema ${version}, this one knows ${migrations.length})`,
    'run that version again, or move the file away to begin a new ledger',
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
    // SQLite has often rolled back by itself by now, and says so by an error that tells nothing new.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** The value of a pragma that answers one row. */
export function pragma(db: DatabaseSync, name: string): unknown {
  const row = db.prepare(`PRAGMA ${name}`).get();
  return row === undefined ? undefined : Object.values(row)[0];
}
