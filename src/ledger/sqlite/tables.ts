import type { Diagnostic } from '../../config/diagnostic.ts';
import type { Version } from '../../ids.ts';
import type { RevisionSummary } from '../../revisions/types.ts';
import type { Counts, Outcome } from '../../rollout/types.ts';
import type { PushCounts, StoredRelease } from '../store.ts';
import type { Statements } from './statements.ts';

/** A flapping node refuses without end: its first refusals are enough. */
const maxRefusalsPerVersion = 100;
const maxEventsPerVersion = 1000;

/** A row of `events`: its type, who did it, and the details (docs/ledger.md). */
export interface EventRow {
  readonly type: string;
  readonly by?: string;
  readonly detail?: object;
}

/** Adds an empty row that facts can refer to, if the revision was lost, pruned or never recorded. */
export function ensureRevision({ run }: Statements, version: Version, at: number): void {
  const columns = 'version, subject, author, committed_at, seen_at, diagnostics';
  run(`INSERT OR IGNORE INTO revisions (${columns}) VALUES (?, '', '', '', ?, '[]')`, version, at);
}

/** Returns whether it is new. */
export function writeRevision({ run }: Statements, revision: RevisionSummary, at: number): boolean {
  const { version, subject, author, committedAt } = revision;
  return run(
    `INSERT INTO revisions (version, subject, author, committed_at, seen_at, diagnostics) VALUES (?, ?, ?, ?, ?, '[]')
     ON CONFLICT (version) DO UPDATE SET subject = excluded.subject, author = excluded.author, committed_at = excluded.committed_at
     WHERE revisions.committed_at = ''`,
    ...[version, subject, author, committedAt, at],
  );
}

export interface Concluded {
  readonly outcome: Outcome;
  readonly reason?: string;
  readonly diagnostics?: readonly Diagnostic[];
}

/** Adds an event only if the outcome or its reason has changed. */
export function writeOutcome(statements: Statements, version: Version, at: number, concluded: Concluded): void {
  const { outcome, reason = null, diagnostics = [] } = concluded;
  const { run } = statements;
  run('UPDATE revisions SET diagnostics = ? WHERE version = ?', JSON.stringify(diagnostics), version);
  const isChanged = run(
    `UPDATE revisions SET outcome = ?1, outcome_at = ?2, reason = ?3
     WHERE version = ?4 AND (outcome IS NOT ?1 OR reason IS NOT ?3)`,
    ...[outcome, at, reason, version],
  );
  if (isChanged) writeEvent(statements, version, at, { type: 'outcome', detail: { outcome, reason } });
}

export function readOutcome({ all }: Statements, version: Version): unknown {
  return all('SELECT outcome FROM revisions WHERE version = ?', version)[0]?.outcome;
}

export function writePushStarted({ run }: Statements, version: Version, at: number, connected: number): void {
  run(
    `UPDATE revisions SET pushed_at = ?, settled_at = NULL, connected = ?, acked = 0, refused = 0, unanswered = 0
     WHERE version = ?`,
    ...[at, connected, version],
  );
}

export function writePushSettled(
  statements: Statements,
  version: Version,
  at: number,
  { push: seq, counts }: { readonly push: number; readonly counts: Counts },
): void {
  const pushCounts = toPushCounts(counts);
  const { connected, acked, refused, unanswered } = pushCounts;
  statements.run(
    'UPDATE revisions SET settled_at = ?, connected = ?, acked = ?, refused = ?, unanswered = ? WHERE version = ?',
    ...[at, connected, acked, refused, unanswered, version],
  );
  writeEvent(statements, version, at, { type: 'push_settled', detail: { seq, ...pushCounts } });
}

function toPushCounts({ connected, acked, refusing, unanswered }: Counts): PushCounts {
  return { connected, acked, refused: refusing, unanswered };
}

/** Does nothing once the revision has too many. */
export function writeEvent({ run }: Statements, version: Version, at: number, event: EventRow): void {
  const { type, by = null, detail = {} } = event;
  const counted = type === 'refused' ? type : null;
  run(
    `INSERT INTO events (version, at, type, by, detail) SELECT ?1, ?2, ?3, ?4, ?5
     WHERE (SELECT count(*) FROM events WHERE version = ?1 AND (?6 IS NULL OR type = ?6)) < ?7`,
    ...[version, at, type, by, JSON.stringify(detail)],
    ...[counted, counted === null ? maxEventsPerVersion : maxRefusalsPerVersion],
  );
}

/** Which of two event types the revision had last. */
export function lastEvent({ all }: Statements, version: Version, types: readonly [string, string]): unknown {
  const sql = 'SELECT type FROM events WHERE version = ? AND type IN (?, ?) ORDER BY id DESC LIMIT 1';
  return all(sql, version, ...types)[0]?.type;
}

export function writeRelease({ run }: Statements, { release, resource, content }: StoredRelease): void {
  run(
    `INSERT INTO releases (version, stored_id, subject, content, resource)
     SELECT ?1, (SELECT ifnull(max(stored_id), 0) + 1 FROM releases), ?2, ?3, ?4 WHERE true
     ON CONFLICT (version) DO UPDATE SET stored_id = excluded.stored_id, subject = excluded.subject,
       content = excluded.content, resource = excluded.resource`,
    ...[release.version, release.subject, content, resource],
  );
}

/** Deletes the bytes of all but the newest `kept` releases and the needed ones. */
export function dropOldReleases({ run }: Statements, kept: number, needed: Iterable<string>): void {
  run(
    `DELETE FROM releases WHERE version NOT IN (SELECT version FROM releases ORDER BY stored_id DESC LIMIT ?)
     AND version NOT IN (SELECT value FROM json_each(?))`,
    ...[kept, JSON.stringify([...needed])],
  );
}

/** Records which customers a release changes. */
export function writeChanges({ run }: Statements, version: Version, customers: readonly string[] | 'every'): void {
  if (customers === 'every') return void run('UPDATE revisions SET every_customer = 1 WHERE version = ?', version);
  for (const customer of customers)
    run('INSERT OR IGNORE INTO changes (customer, version) VALUES (?, ?)', customer, version);
}

/** `by`: null if unknown. */
export function writeMuted({ run }: Statements, node: string, at: number, by: string | null): void {
  run('INSERT OR IGNORE INTO muted (node, at, by) VALUES (?, ?, ?)', node, at, by);
}

export function removeMuted({ run }: Statements, node: string): void {
  run('DELETE FROM muted WHERE node = ?', node);
}
