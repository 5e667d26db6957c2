import type { Diagnostic } from '../config/diagnostic.ts';
import type { Release } from '../release/release.ts';
import type { FinalOutcome, Outcome } from '../rollout/types.ts';
import type { Fact } from '../state/facts.ts';
import type { Memory } from '../state/memory.ts';

/**
 * Where the daemon's state and its history are kept. A method rejects, with words for an operator, while the store can't be read or
 * written: what waits then is the journal's to keep.
 */
export interface Store {
  /** What was known when the process before this one ended. Rejects with LedgerError when the store can't be used at all. */
  load(): Promise<Loaded>;
  /** All of it or nothing. */
  commit(batch: Batch): Promise<void>;
  /** Newest first. */
  history(query: HistoryQuery): Promise<HistoryEntry[]>;
  /** The whole story of the commit that has this SHA or begins with it (at least 4 hex digits); null: none. */
  story(prefix: string): Promise<Story | null | 'ambiguous'>;
  /** What became of these: the final outcome that each had last (never `held`: the one before). Those without one are left out. */
  outcomes(versions: readonly string[]): Promise<ReadonlyMap<string, FinalOutcome>>;
  close(): Promise<void>;
}

export interface Loaded {
  /** Null: nothing has happened yet. */
  readonly memory: Memory | null;
  /** The releases that the memory names, bytes and all. A release whose bytes are lost is left out. */
  readonly releases: readonly StoredRelease[];
  /**
   * Revisions without a final outcome (pending or held), oldest first, the newest 1,000; `before`: the final one that a held one had. Not
   * those that are live or a rollback's: what becomes of them is the rollout's.
   */
  readonly open: readonly { readonly version: string; readonly before: FinalOutcome | null }[];
}

/** A release as it is kept: it can be served again before git is reachable. */
export interface StoredRelease {
  readonly release: Release;
  /** The encoded resource, byte for byte as it was pushed. */
  readonly resource: Uint8Array;
}

/** What one transaction writes. */
export interface Batch {
  /** In the order in which they happened. */
  readonly facts: readonly Stamped[];
  /** The state after them. */
  readonly memory: Memory;
  /** What the memory names, as far as it is at hand: what the store lacks of it is written. */
  readonly releases: readonly StoredRelease[];
}

export interface Stamped {
  /** Milliseconds since the epoch. The order of facts is that of the batch: clocks are set back. */
  readonly at: number;
  readonly fact: Fact;
}

/** One revision as `shardplane history --json` prints it: a contract. Times are RFC 3339, UTC. */
export interface HistoryEntry {
  /** Its place in the order of first sight: give it as `before` to get the next page. */
  readonly id: number;
  readonly version: string;
  readonly subject: string;
  readonly author: string;
  readonly committedAt: string;
  readonly seenAt: string;
  /** Null: not decided yet. */
  readonly outcome: Outcome | null;
  readonly outcomeAt: string | null;
  readonly reason: string | null;
  readonly diagnostics: readonly Diagnostic[];
  /** Its newest push, or null when it was never pushed. `settledAt` is null while answers are awaited. */
  readonly push: (PushCounts & { readonly startedAt: string; readonly settledAt: string | null }) | null;
  /** It is what the fleet runs. */
  readonly live: boolean;
  /** Refused once: not pushed again before a `retry`. */
  readonly pinned: boolean;
  /** Waits for `accept`. */
  readonly held: boolean;
}

/** How a push stands: nodes. */
export interface PushCounts {
  readonly connected: number;
  readonly acked: number;
  readonly refused: number;
  readonly unanswered: number;
}

/** Which revisions, newest first. */
export interface HistoryQuery {
  /** 1 to 1000. */
  readonly limit: number;
  /** Only what was seen before the entry with this id. */
  readonly before?: number | undefined;
  readonly outcome?: Outcome | undefined;
  /** Milliseconds since the epoch: only what was seen at or after it. */
  readonly since?: number | undefined;
  /** Only what changes this customer's shard size. */
  readonly customer?: string | undefined;
}

/** One thing that happened to a revision. `detail` depends on `type` (docs/ledger.md). */
export interface StoryEvent {
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly type: string;
  readonly by: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** All that is known of one commit, in the order in which it happened. */
export interface Story {
  readonly revision: HistoryEntry;
  readonly events: readonly StoryEvent[];
}
