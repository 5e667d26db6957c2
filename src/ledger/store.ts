import type { Diagnostic } from '../config/diagnostic.ts';
import type { Version } from '../ids.ts';
import type { Release } from '../release/release.ts';
import type { FinalOutcome, Outcome } from '../rollout/types.ts';
import type { Fact } from '../state/facts.ts';
import type { Memory } from '../state/memory.ts';

/**
 * Keeps the daemon's state and its history. While it can't be read or written, methods reject with a message for the operator: the
 * journal keeps what is not written.
 */
export interface Store {
  /** The state that the last process left. Rejects with LedgerError when the store can't be used at all. */
  load(): Promise<Loaded>;
  /** Writes all of it or nothing. */
  commit(batch: Batch): Promise<void>;
  /** Newest first. */
  history(query: HistoryQuery): Promise<HistoryEntry[]>;
  /** What was live, one after another: newest first. */
  lives(query: LivesQuery): Promise<LiveEntry[]>;
  /** Everything about the commit whose SHA has this prefix (at least 4 hex digits); null: none. */
  story(prefix: string): Promise<Story | null | 'ambiguous'>;
  /** The last final outcome of each (not `held`: the one before it). Versions without one are left out. */
  outcomes(versions: readonly Version[]): Promise<ReadonlyMap<Version, FinalOutcome>>;
  close(): Promise<void>;
}

export interface Loaded {
  /** Null: a new store. */
  readonly memory: Memory | null;
  /** The releases that the memory names, unless their bytes are lost. */
  readonly releases: readonly StoredRelease[];
  /**
   * The newest 1,000 revisions without a final outcome (pending or held), oldest first; `before`: the final outcome that a held one had.
   * Without the live release and the fallback: the rollout decides their outcome.
   */
  readonly open: readonly { readonly version: Version; readonly before: FinalOutcome | null }[];
}

/** A release with its bytes, so that a restart serves it before git is reachable. */
export interface StoredRelease {
  readonly release: Release;
  /** The encoded resource, byte for byte as it was pushed. */
  readonly resource: Uint8Array;
  /** Its content as text (release/content.ts), kept from when it was judged so that megabytes need not be serialized again. */
  readonly content: string;
}

/** What one transaction writes. */
export interface Batch {
  /** In the order in which they happened. */
  readonly facts: readonly Stamped[];
  /** The state after them. */
  readonly memory: Memory;
  /** The releases that the memory names; those that the store lacks are written. */
  readonly releases: readonly StoredRelease[];
}

export interface Stamped {
  /** Milliseconds since the epoch. Not an order: clocks can be set back. */
  readonly at: number;
  readonly fact: Fact;
}

/** One revision as `shardplane history --json` prints it: a contract. Times are RFC 3339, UTC. */
export interface HistoryEntry {
  /** Grows in the order in which revisions were first seen; pass it as `before` for the next page. */
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
  /** Refused, and not pushed again until a `retry`. */
  readonly pinned: boolean;
  /** Waits for `accept`. */
  readonly held: boolean;
  /** Where its rollout is, while it is on. `wave` counts from 1; 0 before the first. */
  readonly rollout: { readonly wave: number; readonly waves: number; readonly paused: boolean } | null;
}

/** Numbers of nodes. */
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
  /** Only revisions first seen before the entry with this id. */
  readonly before?: number | undefined;
  readonly outcome?: Outcome | undefined;
  /** Milliseconds since the epoch: only revisions first seen at or after it. */
  readonly since?: number | undefined;
  /** Only revisions that change this customer's shard size. */
  readonly customer?: string | undefined;
}

/** A revision that went live, or came back after another: `shardplane history --customer --json` adds more. */
export interface LiveEntry extends HistoryEntry {
  /** Grows in the order in which they went live; pass it as `before` for the next page. */
  readonly liveId: number;
  /** RFC 3339, UTC: when it went live. */
  readonly liveAt: string;
}

/** Which of what was live, newest first. */
export interface LivesQuery {
  /** 1 to 1000. */
  readonly limit: number;
  /** Only what went live before the entry with this `liveId`. */
  readonly before?: number | undefined;
  /** Milliseconds since the epoch: only what went live at this time or before. */
  readonly until?: number | undefined;
}

/** An event in a revision's history. `detail` depends on `type` (docs/ledger.md). */
export interface StoryEvent {
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly type: string;
  readonly by: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** A commit and all its events, in order. */
export interface Story {
  readonly revision: HistoryEntry;
  readonly events: readonly StoryEvent[];
}
