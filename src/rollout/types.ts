import type { SessionId, Version } from '../ids.ts';
/** A revision's outcome; a held one is still open. */
export type Outcome = FinalOutcome | 'held';

export type FinalOutcome = 'invalid' | 'live' | 'rolled_back' | 'superseded';

/** An Envoy's NACK. */
export interface Refusal {
  /** xDS node.id. */
  readonly node: string;
  /** google.rpc.Status of the NACK: its code (Envoy's is always 13) and message, cut at 4 KiB. */
  readonly code: number;
  readonly message: string;
  /** The place in the config file that it is about, if known. */
  readonly place?: Place | null;
}

/** The place in the config file that a refusal is about. */
export interface Place {
  /** The runtime key, or null if Envoy's message names none. */
  readonly key: string | null;
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly column: number;
}

/** A node's state, measured against the fleet's target. */
export type NodeState = 'pending' | 'acked' | 'refusing' | 'unanswered';

/**
 * How much a node's answer counts. `full`: its refusal alone rolls back. `new`: it has not run an accepted release for long enough.
 * `lost`: it rolled a release back alone, and has to accept others first. `shared`: several streams have its node.id. `muted`: an
 * operator took its vote away. `new`, `lost` and `shared` are counted among the others; `muted` is not counted.
 */
export type Vote = 'full' | 'new' | 'lost' | 'shared' | 'muted';

/** The newest release that the fleet has accepted. `since`: milliseconds since the epoch. */
export type Live =
  /** As many members have ACKed it as the quorum asks for. */
  | { readonly version: Version; readonly since: number; readonly proven: true }
  /** Too few members were connected, or answered. `fallback`: the newest proven release, to which a refusal rolls back. */
  | { readonly version: Version; readonly since: number; readonly proven: false; readonly fallback: Version | null };

/** `at` is the time of the event, milliseconds since the epoch. `session` names one node's stream. */
export type RolloutEvent =
  | { readonly type: 'release'; readonly at: number; readonly version: Version }
  | { readonly type: 'retry'; readonly at: number; readonly version: Version }
  | {
      readonly type: 'joined';
      readonly at: number;
      readonly session: SessionId;
      readonly node: string;
      readonly client?: string | null;
    }
  | { readonly type: 'left'; readonly at: number; readonly session: SessionId }
  | { readonly type: 'sent'; readonly at: number; readonly session: SessionId; readonly version: Version }
  | { readonly type: 'acked'; readonly at: number; readonly session: SessionId; readonly version: Version }
  | {
      readonly type: 'nacked';
      readonly at: number;
      readonly session: SessionId;
      readonly version: Version;
      readonly code: number;
      readonly message: string;
      readonly place?: Place | null;
    }
  /** An operator takes a node's vote away, and gives it back. `node`: its node.id, connected or not. */
  | { readonly type: 'mute' | 'unmute'; readonly at: number; readonly node: string; readonly by: string }
  | { readonly type: 'tick'; readonly at: number };

/** Offer this version to every node; null: there is none. */
export interface RolloutEffect {
  readonly type: 'offer';
  readonly version: Version | null;
}

/** The number of nodes, in all and by state. */
export type Counts = Readonly<Record<'connected' | NodeState, number>>;

/** What happened. `push`: the number of an offer, which grows across restarts. */
export type RolloutFact =
  | { readonly type: 'offered'; readonly version: Version; readonly push: number; readonly counts: Counts }
  /** There is nothing left to offer. */
  | { readonly type: 'nothing_to_offer' }
  /** The fleet has accepted or proven it. `isNew`: it was not live before. `isSettled`: no answer is awaited. */
  | {
      readonly type: 'live';
      readonly version: Version;
      /** Milliseconds since the epoch. */
      readonly since: number;
      readonly proven: boolean;
      readonly isNew: boolean;
      readonly isSettled: boolean;
      readonly push: number;
      readonly counts: Counts;
    }
  | { readonly type: 'nothing_live' }
  /** Refused, and pinned until an operator retries it. */
  | { readonly type: 'rolled_back'; readonly version: Version; readonly refusal: Refusal; readonly counts: Counts }
  /** A pinned version came up for release again: nothing is pushed. */
  | { readonly type: 'still_pinned'; readonly version: Version; readonly refusal: Refusal }
  | { readonly type: 'unpinned'; readonly version: Version }
  /** A newer one replaced it before it was live. */
  | { readonly type: 'superseded'; readonly version: Version }
  /** One node's NACK, whatever its effect. */
  | { readonly type: 'refused'; readonly version: Version; readonly refusal: Refusal }
  /** The node did not answer in time. */
  | { readonly type: 'unanswered'; readonly version: Version; readonly node: string }
  /** Every awaited answer has come or timed out. `ms`: since the offer. */
  | {
      readonly type: 'settled';
      readonly version: Version;
      readonly push: number;
      readonly ms: number;
      readonly counts: Counts;
    }
  /** An operator took a node's vote away, or gave it back. */
  | { readonly type: 'muted' | 'unmuted'; readonly node: string; readonly by: string };
