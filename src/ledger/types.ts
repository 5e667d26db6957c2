import type { Release } from '../release/release.ts';
import type { RolloutMemory } from '../rollout/state.ts';
import type { Outcome } from '../rollout/types.ts';
import type { Hold, LedgerEntry, StoredRelease } from './entry.ts';
import type { LedgerHealth } from './health.ts';
import type { HistoryEntry, HistoryQuery, Story } from './history.ts';
import type { Retention } from './prune.ts';

/** What was known when the process before this one ended. Fits `createRollout`. */
export interface Restored extends RolloutMemory {
  /** The bytes of the live and of the proven release, by version; a version without bytes can't be served before git has it. */
  readonly releases: ReadonlyMap<string, StoredRelease>;
  readonly holds: ReadonlyMap<string, Hold>;
  /** node.ids whose vote an operator has taken away. */
  readonly muted: ReadonlySet<string>;
  /** The most nodes that one of the newest pushes was offered to. */
  readonly members: number;
  /** Versions that are not held again. */
  readonly accepted: ReadonlySet<string>;
  /** The commit at the tip of the watched ref, as last seen. */
  readonly tip: string | null;
  /** The newest revision. */
  readonly head: HistoryEntry | null;
  /** The highest push number. */
  readonly seq: number;
}

/** The durable record. No method throws: what can't be written waits in memory, and `health` tells. */
export interface Ledger {
  /** What an operator should know of how it was opened (a damaged file set aside). */
  readonly notices: readonly string[];
  readonly health: LedgerHealth;
  restore(): Restored;
  record(entry: LedgerEntry): void;
  /** All entries in one transaction, in order. */
  recordAll(entries: readonly LedgerEntry[]): void;
  /** Newest first; empty, and `health` tells, when it can't be read. */
  history(query: HistoryQuery): HistoryEntry[];
  /** The whole story of the commit that has this SHA or begins with it. */
  story(versionPrefix: string): Story | null | 'ambiguous';
  /** Which of these have their final outcome: any but `held`. */
  decided(versions: readonly string[]): ReadonlySet<string>;
  /** Revisions without a final outcome, 1,000 at most; `before`: the one that a held revision had before. */
  open(): { version: string; before: Outcome | null }[];
  /** Whether a release with the same content, whatever its version, was live (of the last 1,000 that were). */
  wasLive(release: Release): boolean;
  /** Forgets up to 1,000 revisions beyond the retention; returns how many. Recording does this by itself now and then. */
  prune(): number;
  /** Tries once more to write what waits. Recording does this by itself. */
  flush(): void;
  /** Writes what waits, and lets go of the directory. */
  close(): void;
}

export interface LedgerOptions {
  /** The state directory; created for us alone where there is none. */
  readonly directory: string;
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  readonly retention?: Retention;
}
