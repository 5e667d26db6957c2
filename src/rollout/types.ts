import type { SessionId, Version } from '../ids.ts';
import type { Sums } from '../load/sums.ts';
import type { Pause, WaitReason } from './candidate.ts';
import type { Plan } from './plan.ts';
import type { NodeLabels } from './reach.ts';

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

/** Why a release was rolled back, and is not offered again by itself. */
export type Cause =
  | ({ readonly type: 'refused' } & Refusal)
  /** `message`: the numbers of its last verdict. */
  | { readonly type: 'check'; readonly name: string; readonly message: string }
  | { readonly type: 'aborted'; readonly by: string; readonly why: string };

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

/** `at` is the time of the event, milliseconds since the epoch. `session` names one node's stream. `plan`: all at once by default. */
export type RolloutEvent =
  | {
      readonly type: 'release' | 'retry';
      readonly at: number;
      readonly version: Version;
      readonly plan?: Plan;
      /** An operator has accepted it: the freeze that is in force doesn't stop it. */
      readonly isAccepted?: boolean;
    }
  | {
      readonly type: 'joined';
      readonly at: number;
      readonly session: SessionId;
      readonly node: NodeLabels;
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
  | CheckEvent
  | CommandEvent
  | { readonly type: 'tick'; readonly at: number };

/** What a check finds: `no_data` is never a pass. `message`: one line, with the numbers. */
export type CheckVerdict = 'pass' | 'fail' | 'no_data';

export interface CheckEvent {
  readonly type: 'check';
  readonly at: number;
  readonly name: string;
  readonly verdict: CheckVerdict;
  readonly message: string;
  /** How the fleet did before the rollout, to be remembered. */
  readonly baseline?: Sums;
}

/** An operator's command, with who gave it and why. */
export type CommandEvent = { readonly at: number; readonly by: string; readonly why: string } & (
  | { readonly type: 'pause' | 'resume' | 'abort' | 'unfreeze' }
  /** `all`: to everyone, without any more baking. */
  | { readonly type: 'promote'; readonly all: boolean }
  /** `until`: milliseconds since the epoch; null: until `unfreeze`. */
  | { readonly type: 'freeze'; readonly until: number | null }
);

/** What nodes should have has changed: offer each its target (`targetOf`). `version`: the fleet's commit; null: there is none. */
export interface RolloutEffect {
  readonly type: 'offer';
  readonly version: Version | null;
}

/** A gradual rollout's wave, for people: `wave` counts from 1. */
export interface WaveProgress {
  readonly strategy: string;
  readonly wave: number;
  readonly waves: number;
  /** How many of the connected nodes it has reached. */
  readonly nodes: number;
  /** Null: all. `named`: how many by name, beside those below the percentage. */
  readonly customers: { readonly percent: number; readonly named: number } | null;
}

/** The number of nodes, in all and by state. */
export type Counts = Readonly<Record<'connected' | NodeState, number>>;

/** What happened. `push`: the number of an offer, which grows across restarts. */
export type RolloutFact =
  /** `wave`: null when everyone gets it at once. */
  | {
      readonly type: 'offered';
      readonly version: Version;
      readonly push: number;
      readonly counts: Counts;
      readonly wave: WaveProgress | null;
    }
  /** A wave of nodes has nobody in it. */
  | { readonly type: 'wave_skipped'; readonly version: Version; readonly wave: WaveProgress }
  /** The next wave has to wait. */
  | {
      readonly type: 'wave_waits';
      readonly version: Version;
      readonly reason: WaitReason;
      /** Why, where there is more to say. */
      readonly detail: string | null;
      readonly until: number | null;
      readonly wave: WaveProgress;
    }
  | {
      readonly type: 'baking';
      readonly version: Version;
      readonly until: number;
      /** For how long. */
      readonly ms: number;
      readonly wave: WaveProgress;
      readonly counts: Counts;
    }
  /** A check's verdict has changed. */
  | {
      readonly type: 'check';
      readonly version: Version;
      readonly name: string;
      readonly verdict: CheckVerdict;
      readonly message: string;
    }
  | ({ readonly type: 'paused'; readonly version: Version } & Pick<Pause, 'reason' | 'by' | 'why'>)
  | { readonly type: 'resumed'; readonly version: Version; readonly by: string; readonly why: string }
  | {
      readonly type: 'promoted';
      readonly version: Version;
      readonly all: boolean;
      readonly by: string;
      readonly why: string;
    }
  /** `version`: what the fleet is to have meanwhile. */
  | {
      readonly type: 'frozen';
      readonly version: Version | null;
      readonly by: string;
      readonly why: string;
      readonly until: number | null;
    }
  | { readonly type: 'unfrozen'; readonly version: Version | null; readonly by: string; readonly why: string }
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
  /** Refused, found bad or aborted, and pinned until an operator retries it. */
  | { readonly type: 'rolled_back'; readonly version: Version; readonly cause: Cause; readonly counts: Counts }
  /** A pinned version came up for release again: nothing is pushed. */
  | { readonly type: 'still_pinned'; readonly version: Version; readonly cause: Cause }
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
      /** The wave that was offered, which goes on. */
      readonly wave?: WaveProgress | null;
    }
  /** An operator took a node's vote away, or gave it back. */
  | { readonly type: 'muted' | 'unmuted'; readonly node: string; readonly by: string };
