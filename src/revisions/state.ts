import type { Diagnostic } from '../config/diagnostic.ts';
import type { FinalOutcome, Outcome } from '../rollout/types.ts';
import type { RevisionSummary } from './types.ts';

/** The newest revision of the watched ref, and how it stands. */
export interface Head {
  readonly version: string;
  readonly subject: string;
  /** Null while it is being judged or rolled out. */
  readonly outcome: Outcome | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** A revision that has no outcome yet. */
export interface Waiting {
  readonly version: string;
  /** In the order in which revisions were seen. */
  readonly place: number;
  /** The tip that was taken before the move that brought it. */
  readonly previous: string | null;
  /** It is of a move that is not taken: it only gets its verdict. */
  readonly isOvertaken?: boolean;
  /** An operator asks for it again. */
  readonly retriedBy?: string;
}

/** A head that waits for an operator: for its size, or for how the ref came to it (which `refuse` lets nobody accept). */
export interface Hold {
  readonly version: string;
  readonly cause: 'shrink' | 'rewrite' | 'refused-rewrite';
}

/** Nothing is served, so the history of `tip` is looked through. */
export interface LookBack {
  /** Null: nothing was taken, so there is no history. */
  readonly tip: string | null;
  /** How many were looked at before this page. */
  readonly skip: number;
  /** What of the page is still to be judged, the newest first. */
  readonly page: readonly RevisionSummary[];
  /** There was none to release. */
  readonly isDone: boolean;
}

export interface RevisionsSettings {
  /** For messages. */
  readonly ref: string;
  readonly file: string;
  /** Signatures count: commits that leave the file alone may make an invalid revision valid. */
  readonly isVerified: boolean;
}

/** All of the machine. Owned by the caller and updated in place by `step`. */
export interface RevisionsState {
  readonly settings: RevisionsSettings;
  /** The tip taken last. */
  taken: string | null;
  /** The one that a restart begins at: what it brought is decided. */
  remembered: string | null;
  /** The tip of the last move. */
  tip: string | null;
  /** The ref was looked at, by this process. */
  hasMoved: boolean;
  head: Head | null;
  /** The head's place. */
  headPlace: number;
  hold: Hold | null;
  /** What the last move brought, if it is not taken: it comes again with the next. */
  readonly seen: Set<string>;
  /** Versions that an operator has let through. */
  readonly accepted: Set<string>;
  /** What was released last. */
  released: Released | null;
  /** Digests of contents that were live, the newest last. */
  readonly contents: Set<string>;
  /** Revisions without a final outcome. Of a held one: that it had before, if any. */
  readonly open: Map<string, FinalOutcome | null>;
  /** Final outcomes, as far as they are known and may be asked for; the newest last. */
  readonly decided: Map<string, FinalOutcome>;
  /** The place that was given last. */
  places: number;
  /** What has a place up to this is overtaken. */
  reached: number;
  /** In the order of their places. */
  waiting: Waiting[];
  /**
   * `place` is null for a revision of the history that is being looked through. `isStale`: it stands elsewhere now than where
   * its signature and its size are looked at for, so that the verdict does not count.
   */
  judging: (Omit<Waiting, 'place'> & { readonly place: number | null; readonly isStale?: boolean }) | null;
  lookBack: LookBack | null;
}

/** What a restart goes on from: plain JSON. */
export interface RevisionsMemory {
  /** The tip that the next start compares with: all that it brought is decided. */
  readonly taken: string | null;
  readonly head: Head | null;
  /** Versions that an operator has let through, 1,000 at most. */
  readonly accepted: readonly string[];
  /** Digests of contents that were live, the newest last, 1,000 at most: a guard lets them come back. */
  readonly contents: readonly string[];
  readonly released?: Released | null;
}

interface Released {
  readonly version: string;
  readonly digest: string | null;
}

/** Revisions without a final outcome; `before`: that of a held one, if it had any. */
export type Open = readonly { readonly version: string; readonly before: FinalOutcome | null }[];

/** A machine that has seen nothing, or one that goes on after a restart: what has no outcome comes again with the first move. */
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

/** What a restart goes on from. */
export function toRevisionsMemory(state: RevisionsState): RevisionsMemory {
  const { remembered, head, accepted, contents, released } = state;
  return { taken: remembered, head, accepted: [...accepted], contents: [...contents], released };
}

/** How many revisions have no verdict yet. */
export function countWaiting({ waiting, judging }: RevisionsState): number {
  return waiting.length + (judging?.place == null ? 0 : 1);
}

/** Nothing is judged, and nothing is looked for. */
export function isIdle(state: RevisionsState): boolean {
  const { judging, lookBack } = state;
  return countWaiting(state) === 0 && judging === null && (lookBack === null || lookBack.isDone);
}
