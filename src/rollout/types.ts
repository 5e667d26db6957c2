/** What became of a revision. */
export type Outcome = FinalOutcome | 'held';

/** That of one that nobody decides about any more. */
export type FinalOutcome = 'invalid' | 'live' | 'rolled_back' | 'superseded';

/** An Envoy's NACK, in its own words. */
export interface Refusal {
  /** xDS node.id. */
  readonly node: string;
  /** google.rpc.Status of the NACK: its code (Envoy's is always 13) and message, cut at 4 KiB. */
  readonly code: number;
  readonly message: string;
  /** What of the config file it is about, as far as that can be told. */
  readonly place?: Place | null;
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

/** State of one node against the fleet's target. */
export type NodeState = 'pending' | 'acked' | 'refusing' | 'unanswered';

/**
 * What a node's word is worth. `full`: its refusal alone rolls back. `new`: it has not held an accepted release for long enough.
 * `lost`: it rolled a release back alone, and has to accept others first. `shared`: several streams have its node.id. `muted`: an
 * operator has taken it away. Of those in the middle ACKs and NACKs are counted with those of all others; of the last, nothing is.
 */
export type Vote = 'full' | 'new' | 'lost' | 'shared' | 'muted';

/** The newest release that the fleet has accepted. `since`: milliseconds since the epoch. */
export type Live =
  /** As many members have ACKed it as the quorum asks for. */
  | { readonly version: string; readonly since: number; readonly proven: true }
  /** Too few were there, or too few answered. `fallback`: the newest proven release, if there is one: a refusal brings it back. */
  | { readonly version: string; readonly since: number; readonly proven: false; readonly fallback: string | null };

/** What moves a rollout. `at` is the time of the event, milliseconds since the epoch. `session` names one node's stream. */
export type RolloutEvent =
  | { readonly type: 'release'; readonly at: number; readonly version: string }
  | { readonly type: 'retry'; readonly at: number; readonly version: string }
  | {
      readonly type: 'joined';
      readonly at: number;
      readonly session: string;
      readonly node: string;
      readonly client?: string | null;
    }
  | { readonly type: 'left'; readonly at: number; readonly session: string }
  | { readonly type: 'sent'; readonly at: number; readonly session: string; readonly version: string }
  | { readonly type: 'acked'; readonly at: number; readonly session: string; readonly version: string }
  | {
      readonly type: 'nacked';
      readonly at: number;
      readonly session: string;
      readonly version: string;
      readonly code: number;
      readonly message: string;
      readonly place?: Place | null;
    }
  /** An operator takes a node's vote away, and gives it back. `node`: its node.id, connected or not. */
  | { readonly type: 'mute' | 'unmute'; readonly at: number; readonly node: string; readonly by: string }
  | { readonly type: 'tick'; readonly at: number };

/** What a step wants done: every node shall have this version now; null: there is none to have. */
export interface RolloutEffect {
  readonly type: 'offer';
  readonly version: string | null;
}

/** Each state's number of nodes, and all of them. */
export type Counts = Readonly<Record<'connected' | NodeState, number>>;

/** What happened, worth remembering. `push`: the number of an offer, counted up over restarts. */
export type RolloutFact =
  | { readonly type: 'offered'; readonly version: string; readonly push: number; readonly counts: Counts }
  /** There is nothing left to offer. */
  | { readonly type: 'nothing_to_offer' }
  /** The fleet has accepted it, or has proven it. `isNew`: it was not live before. `isSettled`: nobody is waited for. */
  | {
      readonly type: 'live';
      readonly version: string;
      /** Milliseconds since the epoch. */
      readonly since: number;
      readonly proven: boolean;
      readonly isNew: boolean;
      readonly isSettled: boolean;
      /** Its offer. */
      readonly push: number;
      readonly counts: Counts;
    }
  | { readonly type: 'nothing_live' }
  /** Refused, and not pushed again until an operator retries it. */
  | { readonly type: 'rolled_back'; readonly version: string; readonly refusal: Refusal; readonly counts: Counts }
  /** A release was asked for that was refused before: nothing is pushed. */
  | { readonly type: 'still_pinned'; readonly version: string; readonly refusal: Refusal }
  | { readonly type: 'unpinned'; readonly version: string }
  /** A newer one has taken its place before it was live. */
  | { readonly type: 'superseded'; readonly version: string }
  /** One node's NACK, whatever follows from it. */
  | { readonly type: 'refused'; readonly version: string; readonly refusal: Refusal }
  /** It is no longer waited for. */
  | { readonly type: 'unanswered'; readonly version: string; readonly node: string }
  /** Nobody is waited for any more. `ms`: since the offer. */
  | {
      readonly type: 'settled';
      readonly version: string;
      readonly push: number;
      readonly ms: number;
      readonly counts: Counts;
    }
  /** An operator has taken a node's vote away, or given it back. */
  | { readonly type: 'muted' | 'unmuted'; readonly node: string; readonly by: string };
