import type { Diagnostic } from '../config/diagnostic.ts';
import type { Version } from '../ids.ts';
import type { Frozen, Plan } from '../rollout/plan.ts';
import type { FinalOutcome } from '../rollout/types.ts';
import type { Decision, Movement } from './movement.ts';

/** A commit that changes the config file, without its content. */
export interface RevisionSummary {
  /** The commit's full SHA. */
  readonly version: Version;
  /** First line of the message, cut at 200 characters, control characters replaced. */
  readonly subject: string;
  /** `Name <email>` of the author, cleaned likewise. */
  readonly author: string;
  /** RFC 3339, UTC. */
  readonly committedAt: string;
}

/** What judging a revision found. */
export type Verdict =
  | { readonly valid: false; readonly diagnostics: readonly Diagnostic[] }
  /** `shrink`: why the guard, or a limit of `plan.limits`, would hold it, or null. `digest`: of the content, whatever the commit; null if it won't be released. */
  | {
      readonly valid: true;
      readonly shrink: string | null;
      readonly digest: string | null;
      /** How it is to be rolled out. */
      readonly plan: Plan;
    };

/** The ref names another commit than before, or none. */
export interface RefMoved {
  readonly type: 'moved';
  readonly movement: Movement;
  /** The policy's decision: only what is taken may be released. */
  readonly decision: Decision;
  /** The tip taken last, or null. */
  readonly previous: string | null;
  /** The tip now; null when there is no such ref. */
  readonly tip: string | null;
  /** Revisions that `previous` doesn't have, oldest first. Those of a held tip come again with the next move. */
  readonly revisions: readonly RevisionSummary[];
  /** The revision that gives the file of `tip` its content; null if none of its history has the file. */
  readonly newest: RevisionSummary | null;
  /** Final outcomes that some of these have already. */
  readonly outcomes: ReadonlyMap<Version, FinalOutcome>;
}

export type RevisionEvent =
  | RefMoved
  | { readonly type: 'judged'; readonly version: Version; readonly verdict: Verdict }
  /** It could not be judged now: it goes back to the queue. */
  | { readonly type: 'unjudged'; readonly version: Version }
  /** The answer to `list`. */
  | {
      readonly type: 'listed';
      readonly tip: string;
      readonly skip: number;
      readonly revisions: readonly RevisionSummary[];
    }
  | { readonly type: 'accept'; readonly version: Version; readonly by: string }
  | { readonly type: 'retry'; readonly version: Version; readonly by: string }
  /** The rollout's outcome of a release. Null: it is being rolled out. */
  | {
      readonly type: 'decided';
      readonly version: Version;
      readonly outcome: FinalOutcome | null;
      readonly diagnostics: readonly Diagnostic[];
    }
  /** No freeze is in force any more. */
  | { readonly type: 'thawed' }
  /** The rollout has nothing left to offer. */
  | { readonly type: 'stranded' }
  /** The answer to `list` when git failed: it is asked again if still needed. */
  | { readonly type: 'unlisted' };

/** What happened. Each final outcome is reported once. */
export type RevisionFact =
  /** `isPast`: found by looking back through the history. */
  | { readonly type: 'seen'; readonly revision: RevisionSummary; readonly isPast: boolean }
  | { readonly type: 'invalid'; readonly version: Version; readonly diagnostics: readonly Diagnostic[] }
  | {
      readonly type: 'held';
      readonly version: Version;
      readonly reason: string;
      readonly diagnostics: readonly Diagnostic[];
    }
  | { readonly type: 'accepted'; readonly version: Version; readonly by: string }
  | { readonly type: 'retried'; readonly version: Version; readonly by: string }
  /** A newer one overtook it. */
  | { readonly type: 'superseded'; readonly version: Version }
  /** No move will list it again. `isNew`: false if this is the outcome from before it was held. */
  | { readonly type: 'closed'; readonly version: Version; readonly outcome: FinalOutcome; readonly isNew: boolean }
  /** The history has nothing to release. */
  | { readonly type: 'nothing_found' };

/** Where a revision stands when it is judged: the signature check and the shrink guard depend on it. */
export interface Standing {
  /** It is the newest of `tip`. */
  readonly isHead: boolean;
  /** A newer one overtook it: it gets an outcome, and is not released. */
  readonly isOvertaken: boolean;
  readonly tip: string | null;
  /** The tip that was taken before the move that brought it. */
  readonly previous: string | null;
}

export type RevisionEffect =
  /** Read, verify and compile it. `next`: the ones to judge after it, so that they can be read together. */
  | {
      readonly type: 'judge';
      readonly version: Version;
      readonly next: readonly Version[];
      readonly standing: Standing;
    }
  /** Count the tip as taken, whatever the policy said. */
  | { readonly type: 'accept_tip'; readonly tip: string }
  /** Roll it out; `retry` unpins it first. */
  | {
      readonly type: 'release';
      readonly version: Version;
      readonly how: 'release' | 'retry';
      readonly plan: Plan;
      /** An operator has accepted it: no freeze of now stops it. */
      readonly isAccepted?: boolean;
    }
  /** List a page of the history of `tip`, newest first, without the `skip` newest. */
  | { readonly type: 'list'; readonly tip: string; readonly skip: number; readonly limit: number };

/** What the revisions need to know of the rollout. */
export interface RolloutView {
  readonly live: Version | null;
  /** What every node should have: the candidate, or the live release. */
  readonly target: Version | null;
  /** It was rolled back, and is not offered again by itself. */
  readonly isPinned: (version: Version) => boolean;
  /** The freeze that is in force, if any. */
  readonly frozen: () => Frozen | null;
}
