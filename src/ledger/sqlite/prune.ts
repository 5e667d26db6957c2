import { keptVersions } from '../../state/memory.ts';
import type { Memory } from '../../state/memory.ts';
import type { Statements } from './statements.ts';

/** What is kept. What the state names (live and its fallback, candidate, pinned, head) is kept whatever this says. */
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

/** Forgets up to 1,000 revisions that are beyond the retention, with their stories. Inside a transaction of the caller's. */
export function pruneRevisions({ run }: Statements, memory: Memory, retention: Retention, now: number): void {
  run(
    `DELETE FROM revisions WHERE id IN (
       SELECT id FROM revisions
       WHERE (seen_at < ?1 OR id <= (SELECT id FROM revisions ORDER BY id DESC LIMIT 1 OFFSET ?2))
         AND version NOT IN (SELECT value FROM json_each(?3))
       ORDER BY id LIMIT ?4)`,
    ...[now - retention.ageMs, retention.revisions, JSON.stringify([...keptVersions(memory)]), prunedAtMost],
  );
}
