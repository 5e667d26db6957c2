import type { Statements } from './statements.ts';

/** What is kept. The live, the proven, pinned and held revisions and the head are kept whatever this says. */
export interface Retention {
  /** Revisions older than this (by when they were first seen) are forgotten. */
  readonly ageMs: number;
  /** Newest revisions kept. */
  readonly revisions: number;
  /** Newest releases whose bytes are kept. */
  readonly releases: number;
}

export const defaultRetention: Retention = { ageMs: 365 * 24 * 60 * 60 * 1000, revisions: 10_000, releases: 10 };

/** So that no call takes long. */
const prunedAtMost = 1000;

/** Forgets up to 1,000 revisions that are beyond the retention, with their stories; returns how many. Inside a transaction of the caller's. */
export function pruneRevisions({ all, run }: Statements, retention: Retention, now: number): number {
  const rows = all(
    `SELECT id FROM revisions
     WHERE (seen_at < ?1 OR id <= (SELECT id FROM revisions ORDER BY id DESC LIMIT 1 OFFSET ?2))
       AND version NOT IN (SELECT version FROM marks WHERE kind IN ('pinned', 'held'))
       AND NOT EXISTS (SELECT 1 FROM fleet WHERE revisions.version IN (live, proven, head))
     ORDER BY id LIMIT ?3`,
    ...[now - retention.ageMs, retention.revisions, prunedAtMost],
  );
  for (const { id } of rows) run('DELETE FROM revisions WHERE id = ?', id ?? null);
  return rows.length;
}
