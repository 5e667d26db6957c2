import type { DatabaseSync } from 'node:sqlite';
import { DatabaseSync as Database } from 'node:sqlite';
import { writeCheckpoint } from './checkpoint.ts';
import type { Stamped } from './entry.ts';
import type { Retention } from './prune.ts';
import { pruneRevisions } from './prune.ts';
import { migrate, transaction } from './schema.ts';
import type { Statements } from './statements.ts';
import { createStatements } from './statements.ts';
import { ensureRevision } from './tables.ts';
import type { View } from './view.ts';
import { knownVersions } from './view.ts';
import { versionOf, writeEntry } from './write.ts';

/** An open database, and how it is used. */
export interface Store {
  readonly db: DatabaseSync;
  readonly statements: Statements;
}

export function createStore(db: DatabaseSync): Store {
  return { db, statements: createStatements(db) };
}

/** A ledger that ends with the process. */
export function memoryStore(): Store {
  const db = new Database(':memory:');
  migrate(db, ':memory:');
  return createStore(db);
}

/** What one transaction writes: entries in order, then, if given, a whole view. */
export interface Batch {
  readonly entries: readonly Stamped[];
  readonly checkpoint: { readonly view: View; readonly at: number } | null;
}

/** All of it or nothing; throws SQLite's error. */
export function writeBatch({ db, statements }: Store, { entries, checkpoint }: Batch, retention: Retention): void {
  transaction(db, () => {
    if (checkpoint) ensureOlder(statements, entries, checkpoint);
    for (const stamped of entries) writeEntry(statements.run, stamped, retention.releases);
    if (checkpoint) writeCheckpoint(statements, checkpoint.view, checkpoint.at);
  });
}

/** Rows for the revisions that only the view knows: they come before those of the entries. */
function ensureOlder(
  { run }: Statements,
  entries: Batch['entries'],
  { view, at }: NonNullable<Batch['checkpoint']>,
): void {
  const told = new Set(entries.map(({ entry }) => versionOf(entry)));
  for (const version of knownVersions(view)) if (!told.has(version)) ensureRevision(run, version, at);
}

/** One step of `pruneRevisions` in a transaction. */
export function prune({ db, statements }: Store, retention: Retention, now: number): number {
  return transaction(db, () => pruneRevisions(statements, retention, now));
}
