/** What became of a revision. */
export type Outcome = 'invalid' | 'live' | 'rolled_back' | 'superseded' | 'held';

/** An Envoy's NACK, in its own words. */
export interface Refusal {
  /** xDS node.id. */
  readonly node: string;
  /** google.rpc.Status of the NACK: its code (Envoy's is always 13) and message, cut at 4 KiB. */
  readonly code: number;
  readonly message: string;
}

/** State of one node against the fleet's target. */
export type NodeState = 'pending' | 'acked' | 'refusing' | 'unanswered';

/**
 * What a node's word is worth. `full`: its refusal alone rolls back. `new`: it has not held an accepted release for long enough.
 * `lost`: it rolled a release back alone, and has to accept others first. `shared`: several streams have its node.id. `muted`: an
 * operator has taken it away. Of those in the middle ACKs and NACKs are counted with those of all others; of the last, nothing is.
 */
export type Vote = 'full' | 'new' | 'lost' | 'shared' | 'muted';

/** The newest release that the fleet has accepted. */
export interface Live {
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** As many members have ACKed it as the quorum asks for; false: too few were there, or too few answered. */
  readonly proven: boolean;
}

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
    }
  /** An operator takes a node's vote away, and gives it back. `node`: its node.id, connected or not. */
  | { readonly type: 'muted' | 'unmuted'; readonly at: number; readonly node: string }
  | { readonly type: 'tick'; readonly at: number };

/** What a step wants done. Logs, metrics and the ledger are written from these alone. */
export type RolloutAction =
  /** Every node shall have this version now; null: there is none to have. */
  | { readonly type: 'offer'; readonly version: string | null }
  | { readonly type: 'outcome'; readonly version: string; readonly outcome: Outcome }
  /** `live` has changed, or was proven. */
  | { readonly type: 'live'; readonly live: Live | null }
  /** Refused, and not pushed again until `retry`. */
  | { readonly type: 'pinned'; readonly version: string; readonly refusal: Refusal }
  | { readonly type: 'unpinned'; readonly version: string }
  /** A release was asked for that is pinned: nothing is pushed. */
  | { readonly type: 'still_pinned'; readonly version: string; readonly refusal: Refusal }
  /** One node's NACK, whatever follows from it. */
  | { readonly type: 'refused'; readonly version: string; readonly refusal: Refusal }
  | { readonly type: 'unanswered'; readonly version: string; readonly node: string };
