import type { Diagnostic } from '../config/diagnostic.ts';
import type { Version } from '../ids.ts';
import type { FinalOutcome, Outcome } from '../rollout/types.ts';
import type { RevisionSummary } from './types.ts';

/** The newest revision of the watched ref. */
export interface Head {
  readonly version: Version;
  readonly subject: string;
  /** Null while it is being judged or rolled out. */
  readonly outcome: Outcome | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** A revision that has no outcome yet. */
export interface Waiting {
  readonly version: Version;
  /** A number that grows in the order in which revisions were seen. */
  readonly place: number;
  /** The tip that was taken before the move that brought it. */
  readonly previous: string | null;
  /** Its move was not taken: it gets an outcome, and is never released. */
  readonly isOvertaken?: boolean;
  /** The operator who retried it. */
  readonly retriedBy?: string;
}

/**
 * A head that waits for an operator because it shrinks or changes too much, or rewrites history (`refused-rewrite`: nobody can accept it), or for
 * the end of a freeze.
 */
export interface Hold {
  readonly version: Version;
  readonly cause: 'shrink' | 'freeze' | 'rewrite' | 'refused-rewrite';
}

/** The search through the history of `tip`, while nothing is served. */
export interface LookBack {
  /** Null: nothing was taken, so there is no history. */
  readonly tip: string | null;
  /** How many revisions come before this page. */
  readonly skip: number;
  /** The rest of the page to judge, newest first. */
  readonly page: readonly RevisionSummary[];
  /** The search found nothing to release. */
  readonly isDone: boolean;
}

export interface RevisionsSettings {
  /** For messages. */
  readonly ref: string;
  readonly file: string;
  /** Signatures count: commits that leave the file alone may make an invalid revision valid. */
  readonly isVerified: boolean;
  /** A digest of all that decides whether a revision is valid, whatever is in it. */
  readonly judgedBy?: string;
}

/** Owned by the caller and updated in place by `step`. */
export interface RevisionsState {
  readonly settings: RevisionsSettings;
  /** The tip taken last. */
  taken: string | null;
  /** Where a restart resumes: every revision up to this tip has an outcome. */
  remembered: string | null;
  /** The tip of the last move. */
  tip: string | null;
  /** This process has looked at the ref. */
  hasMoved: boolean;
  head: Head | null;
  /** The head's place. */
  headPlace: number;
  hold: Hold | null;
  /** Revisions of the last move if it was not taken: the next move lists them again. */
  readonly seen: Set<Version>;
  /** Versions that an operator has accepted. */
  readonly accepted: Set<Version>;
  /** The last release. */
  released: Released | null;
  /** Digests of content that was live, newest last. */
  readonly contents: Set<string>;
  /** Revisions without a final outcome; the value is the outcome that a held one had before. */
  readonly open: Map<Version, FinalOutcome | null>;
  /** Known final outcomes, bounded; newest last. */
  readonly decided: Map<Version, FinalOutcome>;
  /** The last place given. */
  places: number;
  /** Revisions up to this place are overtaken. */
  reached: number;
  /** In the order of their places. */
  waiting: Waiting[];
  /**
   * `place` is null for a revision found by looking back. `isStale`: its standing has changed since it was sent to be judged, so
   * the verdict will be ignored.
   */
  judging: (Omit<Waiting, 'place'> & { readonly place: number | null; readonly isStale?: boolean }) | null;
  lookBack: LookBack | null;
}

/** The durable part, as plain JSON. */
export interface RevisionsMemory {
  /** The tip that the next start compares with: every revision up to it has an outcome. */
  readonly taken: string | null;
  readonly head: Head | null;
  /** Versions that an operator has accepted, 1,000 at most. */
  readonly accepted: readonly Version[];
  /** Digests of content that was live, newest last, 1,000 at most: the shrink guard lets it come back. */
  readonly contents: readonly string[];
  readonly released?: Released | null;
  /** The settings by which the candidate was judged (`RevisionsSettings`). */
  readonly judgedBy?: string;
}

interface Released {
  readonly version: Version;
  readonly digest: string | null;
}

/** Revisions without a final outcome; `before`: the outcome that a held one had before. */
export type Open = readonly { readonly version: Version; readonly before: FinalOutcome | null }[];

/** An empty state, or one that resumes after a restart: the first move lists again what has no outcome. */
export function createRevisions(
  settings: RevisionsSettings,
  memory?: RevisionsMemory,
  open: Open = [],
): RevisionsState {
  return {
    settings,
    taken: memory?.taken ?? null,
    remembered: memory?.taken ?? null,
    tip: null,
    hasMoved: false,
    head: memory?.head ?? null,
    headPlace: 0,
    hold: null,
    seen: new Set(),
    accepted: new Set(memory?.accepted),
    released: memory?.released ?? null,
    contents: new Set(memory?.contents),
    open: new Map(open.map(({ version, before }) => [version, before])),
    decided: new Map(),
    places: 0,
    reached: 0,
    waiting: [],
    judging: null,
    lookBack: null,
  };
}

export function toRevisionsMemory(state: RevisionsState): RevisionsMemory {
  const { settings, remembered, head, accepted, contents, released } = state;
  const { judgedBy } = settings;
  const lists = { accepted: [...accepted], contents: [...contents] };
  return { taken: remembered, head, ...lists, released, ...(judgedBy !== undefined && { judgedBy }) };
}

/** The number of revisions without a verdict. */
export function countWaiting({ waiting, judging }: RevisionsState): number {
  return waiting.length + (judging?.place == null ? 0 : 1);
}

/** Nothing is being judged or searched for. */
export function isIdle(state: RevisionsState): boolean {
  const { judging, lookBack } = state;
  return countWaiting(state) === 0 && judging === null && (lookBack === null || lookBack.isDone);
}
