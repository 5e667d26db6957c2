import type { Diagnostic } from '../config/diagnostic.ts';
import type { Outcome } from '../rollout/types.ts';
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

/** What is known from before a restart. */
export interface RevisionsMemory {
  readonly taken: string | null;
  readonly head: Head | null;
  readonly accepted: ReadonlySet<string>;
}

/** A machine that has seen nothing, or one that goes on after a restart: what has no outcome comes again with the first move. */
export function createRevisions(settings: RevisionsSettings, memory?: RevisionsMemory): RevisionsState {
  return {
    settings,
    taken: memory?.taken ?? null,
    tip: null,
    hasMoved: false,
    head: memory?.head ?? null,
    headPlace: 0,
    hold: null,
    seen: new Set(),
    accepted: new Set(memory?.accepted),
    places: 0,
    reached: 0,
    waiting: [],
    judging: null,
    lookBack: null,
  };
}

/** How many revisions have no verdict yet. */
export function countWaiting({ waiting, judging }: RevisionsState): number {
  return waiting.length + (judging?.place == null ? 0 : 1);
}
