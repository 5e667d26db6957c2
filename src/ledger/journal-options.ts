import type { Memory } from '../state/memory.ts';
import type { Loaded, Store, StoredRelease } from './store.ts';

/** Whether the store can be written. */
export type JournalHealth =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** For the operator: what fails, where, and what that means. */
      readonly reason: string;
      /** Milliseconds since the epoch. */
      readonly since: number;
      /** Facts in memory that are not written yet. */
      readonly waiting: number;
      /** Facts that were dropped from the history, because too many waited. */
      readonly lost: number;
    };

export interface JournalOptions {
  readonly store: Store;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What the journal calls, once there is a state. */
export interface JournalHooks {
  /** The current state, and the releases that it names. */
  readonly state: () => { readonly memory: Memory; readonly releases: readonly StoredRelease[] };
  /** Called after the first try, and whenever the health changes (other than in how many facts wait). */
  readonly onHealth: (health: JournalHealth) => void;
  /** Called when a store that could not be read at the start is read, to merge it into the state. */
  readonly onLateLoad: (loaded: Loaded) => void;
}
