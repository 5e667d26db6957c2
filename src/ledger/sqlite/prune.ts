import { keptVersions } from '../../state/memory.ts';
import type { Memory } from '../../state/memory.ts';
import type { Statements } from './statements.ts';

/** How much history is kept. Revisions that the state names (live, fallback, candidate, pinned, head) always are. */
export interface Retention {
  /** Revisions older than this (by when they were first seen) are deleted. */
  readonly ageMs: number;
  /** Newest revisions kept. */
  readonly revisions: number;
  /** Newest releases whose bytes are kept. */
  readonly releases: number;
}

export const defaultRetention: Retention = { ageMs: 365 * 24 * 60 * 60 * 1000, revisions: 10_000, releases: 10 };

/** Keeps each transaction short. */
const maxPruned = 1000;

/** Deletes up to 1,000 revisions beyond the retention, with their events. Call it inside a transaction. */
export function pruneRevisions({ run }: Statements, memory: Memory, retention: Retention, now: number): void {
  run(
    `DELETE FROM revisions WHERE id IN (
       SELECT id FROM revisions
       WHERE (seen_at < ?1 OR id <= (SELECT id FROM revisions ORDER BY id DESC LIMIT 1 OFFSET ?2))
         AND version NOT IN (SELECT value FROM json_each(?3))
       ORDER BY id LIMIT ?4)`,
    ...[now - retention.ageMs, retention.revisions, JSON.stringify([...keptVersions(memory)]), maxPruned],
  );
}
