import type { Diagnostic } from '../config/diagnostic.ts';
import type { FinalOutcome, Refusal } from '../rollout/types.ts';
import type { Decision, Movement } from './movement.ts';

/** A commit that changes the config file, without its content. */
export interface RevisionSummary {
  /** The commit's full SHA. */
  readonly version: string;
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
  /** `shrink`: why a guard would hold it, or null. `digest`: of its content, in whatever commit; null, where it is not released. */
  | { readonly valid: true; readonly shrink: string | null; readonly digest: string | null };

/** The ref names another commit than before, or none. */
export interface RefMoved {
  readonly type: 'moved';
  readonly movement: Movement;
  /** What the policy says to it: only what is taken may be released. */
  readonly decision: Decision;
  /** The tip taken last, or null. */
  readonly previous: string | null;
  /** The tip now; null when there is no such ref. */
  readonly tip: string | null;
  /** Revisions that `previous` doesn't have, oldest first. Those of a held tip come again with the next move. */
  readonly revisions: readonly RevisionSummary[];
  /** The revision that gives the file of `tip` its content; null if none of its history has the file. */
  readonly newest: RevisionSummary | null;
  /** What has become of some of these before. */
  readonly outcomes: ReadonlyMap<string, FinalOutcome>;
}

/** What moves the machine. */
export type RevisionEvent =
  | RefMoved
  | { readonly type: 'judged'; readonly version: string; readonly verdict: Verdict }
  /** It could not be judged now: it waits again, and something newer goes first. */
  | { readonly type: 'unjudged'; readonly version: string }
  /** A page of the history that was asked for, newest first. */
  | {
      readonly type: 'listed';
      readonly tip: string;
      readonly skip: number;
      readonly revisions: readonly RevisionSummary[];
    }
  | { readonly type: 'accept'; readonly version: string; readonly by: string }
  | { readonly type: 'retry'; readonly version: string; readonly by: string }
  /** What the rollout decided about a release. Null: it is on its way. */
  | {
      readonly type: 'decided';
      readonly version: string;
      readonly outcome: FinalOutcome | null;
      readonly diagnostics: readonly Diagnostic[];
    }
  /** The rollout has nothing left to offer. */
  | { readonly type: 'stranded' }
  /** The page that was asked for could not be had now: it is asked for again, if it is needed still. */
  | { readonly type: 'unlisted' };

/** What happened, worth remembering. What has its final outcome is told of once. */
export type RevisionFact =
  /** `isPast`: it is one of the history, that no move has brought. */
  | { readonly type: 'seen'; readonly revision: RevisionSummary; readonly isPast: boolean }
  | { readonly type: 'invalid'; readonly version: string; readonly diagnostics: readonly Diagnostic[] }
  | {
      readonly type: 'held';
      readonly version: string;
      readonly reason: string;
      readonly diagnostics: readonly Diagnostic[];
    }
  | { readonly type: 'accepted'; readonly version: string; readonly by: string }
  | { readonly type: 'retried'; readonly version: string; readonly by: string }
  /** A newer one has taken its turn. */
  | { readonly type: 'superseded'; readonly version: string }
  /** No move can bring it any more. `isNew`: false, where what had become of it before it was held stands again. */
  | { readonly type: 'closed'; readonly version: string; readonly outcome: FinalOutcome; readonly isNew: boolean }
  /** The history has nothing to release either. */
  | { readonly type: 'nothing_found' };

/** Where a revision stands when it is judged: what its signature, and the guard, are asked for depends on it. */
export interface Standing {
  /** It is the newest of `tip`. */
  readonly isHead: boolean;
  /** A newer one has taken its turn: it only gets its outcome. */
  readonly isOvertaken: boolean;
  readonly tip: string | null;
  /** The tip that was taken before the move that brought it. */
  readonly previous: string | null;
}

/** What is to be done. */
export type RevisionEffect =
  /** Read, verify and compile it. `next`: those that come after it, so that they can be read together. */
  | {
      readonly type: 'judge';
      readonly version: string;
      readonly next: readonly string[];
      readonly standing: Standing;
    }
  /** The tip counts as taken, whatever the policy said. */
  | { readonly type: 'accept_tip'; readonly tip: string }
  /** Roll it out; `retry` takes its pin back first. */
  | { readonly type: 'release'; readonly version: string; readonly how: 'release' | 'retry' }
  /** A page of the history of `tip`, newest first, without its `skip` newest. */
  | { readonly type: 'list'; readonly tip: string; readonly skip: number; readonly limit: number };

/** The rollout, as far as revisions go by it. */
export interface RolloutView {
  readonly live: string | null;
  /** What every node shall have: a candidate, or what is live. */
  readonly target: string | null;
  /** The refusal that pins a version. */
  readonly refusalOf: (version: string) => Refusal | null;
}
