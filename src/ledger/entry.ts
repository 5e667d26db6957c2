import type { Diagnostic } from '../config/diagnostic.ts';
import type { Release } from '../release/release.ts';
import type { Live, Outcome, Refusal } from '../rollout/types.ts';

/** A release as it is kept: it can be served again before git is reachable. */
export interface StoredRelease {
  readonly release: Release;
  /** The encoded resource, byte for byte as it was pushed. */
  readonly resource: Uint8Array;
}

/** The place in the config file that a refusal is about. */
export interface Place {
  /** The runtime key, or null where Envoy's words name none. */
  readonly key: string | null;
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly column: number;
}

/**
 * One thing to remember. The ledger stamps it with its own clock. `by` is the operator, where it was one.
 * A `release` comes before the `live` that names it.
 */
export type LedgerEntry =
  /** A revision was seen; the newest recorded one is the head. Seeing it again moves the head, and changes nothing else. */
  | {
      readonly type: 'revision';
      readonly version: string;
      readonly subject: string;
      readonly author: string;
      /** RFC 3339. */
      readonly committedAt: string;
      readonly diagnostics?: readonly Diagnostic[];
      /** Found in the history: the head stays what it is. */
      readonly isPast?: boolean;
    }
  | {
      readonly type: 'outcome';
      readonly version: string;
      readonly outcome: Outcome;
      readonly reason?: string;
      readonly diagnostics?: readonly Diagnostic[];
    }
  | { readonly type: 'release'; readonly release: Release; readonly resource: Uint8Array }
  | { readonly type: 'live'; readonly live: Live | null }
  | { readonly type: 'push_started'; readonly version: string; readonly seq: number; readonly connected: number }
  | ({ readonly type: 'push_settled'; readonly version: string; readonly seq: number } & PushCounts)
  | { readonly type: 'refused'; readonly version: string; readonly refusal: Refusal; readonly place?: Place | null }
  | { readonly type: 'pinned'; readonly version: string; readonly refusal: Refusal; readonly by?: string }
  | { readonly type: 'unpinned'; readonly version: string; readonly by?: string }
  | { readonly type: 'held'; readonly version: string; readonly reason: string }
  /** Ends a hold, and keeps this version from being held again. */
  | { readonly type: 'accepted'; readonly version: string; readonly by?: string }
  /** An operator takes a node's vote away, and gives it back. */
  | { readonly type: 'muted' | 'unmuted'; readonly node: string; readonly by?: string }
  /** The commit at the tip of the watched ref; null: the ref is gone. */
  | { readonly type: 'tip'; readonly commit: string | null };

/** How a push stands: nodes. */
export interface PushCounts {
  readonly connected: number;
  readonly acked: number;
  readonly refused: number;
  readonly unanswered: number;
}

/** An entry with its place in the ledger's order, which the time of day is not: clocks are set back. */
export interface Stamped {
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly entry: LedgerEntry;
  /** Of a release: the customers whose shard size it changes, or `every` where they are too many to list. */
  readonly customers: readonly string[] | 'every';
  /** Of a live release: the digest of its content, which is the same in whatever commit. */
  readonly content: string | null;
}

/** A hold on a revision: it is not pushed until it is accepted. */
export interface Hold {
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}
