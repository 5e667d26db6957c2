import type { DatabaseSync } from 'node:sqlite';
import type { Release } from '../../release/release.ts';
import { keptVersions, servedVersions } from '../../state/memory.ts';
import type { Memory } from '../../state/memory.ts';
import type { Batch, Loaded, StoredRelease } from '../store.ts';
import { pruneRevisions } from './prune.ts';
import type { Retention } from './prune.ts';
import { transaction } from './migrate.ts';
import { readLoaded, readState, writeState } from './saved-state.ts';
import { createStatements } from './statements.ts';
import type { Statements } from './statements.ts';
import * as tables from './tables.ts';
import { versionOf, writeFact } from './write.ts';

/** Old revisions are pruned with the first commit, and then after this many new revisions. */
const pruneEvery = 100;

/** An open database, and a cache of what is in it. */
export interface Ledger {
  readonly db: DatabaseSync;
  readonly statements: Statements;
  /** The state's JSON. */
  json: string | null;
  /** The bytes of the releases that the state names. */
  resources: ReadonlyMap<string, Uint8Array>;
  /** The release that was live last. */
  live: Release | null;
  sincePrune: number;
}

/** Also returns the state to resume from. Throws what `readLoaded` does. */
export function createLedger(db: DatabaseSync): { ledger: Ledger; loaded: Loaded } {
  const statements = createStatements(db);
  const loaded = readLoaded(statements);
  const { memory, releases } = loaded;
  const ledger: Ledger = {
    ...{ db, statements, json: readState(statements), resources: toResources(releases) },
    live: releases.find(({ release }) => release.version === memory?.rollout.live?.version)?.release ?? null,
    sincePrune: pruneEvery,
  };
  return { ledger, loaded };
}

export interface CommitOptions {
  readonly retention: Retention;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Facts may have been dropped before these: the tables are repaired from the state. */
  readonly isCut: boolean;
}

/** Writes all of a batch or nothing; throws SQLite's error. */
export function commitBatch(ledger: Ledger, batch: Batch, options: CommitOptions): void {
  const json = JSON.stringify(batch.memory);
  const missing = batch.releases.filter((stored) => !isStored(ledger, stored));
  if (!options.isCut && batch.facts.length === 0 && missing.length === 0 && json === ledger.json) return;
  const seen = ledger.sincePrune + batch.facts.filter(({ fact }) => fact.type === 'seen').length;
  const live = transaction(ledger.db, () => {
    const last = writeFacts(ledger, batch, options);
    writeReleases(ledger, batch, missing, options);
    if (json !== ledger.json) writeState(ledger.statements, json);
    if (seen >= pruneEvery) pruneRevisions(ledger.statements, batch.memory, options.retention, options.now);
    return last;
  });
  ledger.json = json;
  ledger.live = live;
  ledger.resources = toResources(batch.releases);
  ledger.sincePrune = seen >= pruneEvery ? 0 : seen;
}

/** Returns the release that was live last. */
function writeFacts({ statements, json, live }: Ledger, batch: Batch, { now, isCut }: CommitOptions): Release | null {
  const releases = { byVersion: new Map(batch.releases.map(({ release }) => [release.version, release])), live };
  const isIncomplete = isCut || json === null;
  if (isIncomplete) ensureOlder(statements, batch, now);
  for (const stamped of batch.facts) writeFact(statements, stamped, releases);
  if (isIncomplete) repair(statements, batch.memory, now);
  return releases.live;
}

function writeReleases(
  { statements }: Ledger,
  { memory }: Batch,
  missing: readonly StoredRelease[],
  { retention, now }: CommitOptions,
): void {
  if (missing.length === 0) return;
  for (const stored of missing) {
    tables.ensureRevision(statements, stored.release.version, now);
    tables.writeRelease(statements, stored);
  }
  tables.dropOldReleases(statements, retention.releases, servedVersions(memory));
}

/** Adds rows for revisions that only the state knows, so that their ids are lower than those of the facts. */
function ensureOlder(statements: Statements, { facts, memory }: Batch, now: number): void {
  const inFacts = new Set(facts.map(({ fact }) => versionOf(fact)));
  for (const version of keptVersions(memory))
    if (!inFacts.has(version)) tables.ensureRevision(statements, version, now);
}

/** Makes the tables agree with the state after facts were dropped. */
function repair(statements: Statements, { revisions: { head }, rollout: { muted } }: Memory, now: number): void {
  if (head?.outcome != null && tables.readOutcome(statements, head.version) !== head.outcome)
    tables.writeOutcome(statements, head.version, now, { outcome: head.outcome, diagnostics: head.diagnostics });
  statements.run('DELETE FROM muted WHERE node NOT IN (SELECT value FROM json_each(?))', JSON.stringify(muted));
  for (const node of muted) tables.writeMuted(statements, node, now, null);
}

/** Saves writing the same bytes, up to megabytes, again. */
function isStored({ resources }: Ledger, { release, resource }: StoredRelease): boolean {
  const kept = resources.get(release.version);
  return kept === resource || (kept !== undefined && Buffer.compare(kept, resource) === 0);
}

function toResources(releases: readonly StoredRelease[]): Map<string, Uint8Array> {
  return new Map(releases.map(({ release, resource }) => [release.version, resource]));
}
