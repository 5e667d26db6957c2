import type { FinalOutcome } from '../rollout/types.ts';
import type { Fact } from '../state/facts.ts';
import type { Memory } from '../state/memory.ts';
import { Backlog } from './backlog.ts';
import { LedgerError } from './error.ts';
import { memoryStore } from './sqlite/sqlite-store.ts';
import type { Batch, HistoryEntry, HistoryQuery, Loaded, Store, StoredRelease, Story } from './store.ts';

/** Whether what happens is being remembered. */
export type JournalHealth =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** For an operator: what fails, where, and what that means. */
      readonly reason: string;
      /** Milliseconds since the epoch. */
      readonly since: number;
      /** Facts that wait in memory to be written. */
      readonly waiting: number;
      /** Facts of the history that were given up, because too many waited. */
      readonly lost: number;
    };

export interface JournalOptions {
  readonly store: Store;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What the journal asks, and tells, once the state is there that a load has given. */
export interface JournalHooks {
  /** The state as it is, and the releases that it names. */
  readonly state: () => { readonly memory: Memory; readonly releases: readonly StoredRelease[] };
  /** Told after the first try, and whenever that it is well, the reason, or how much was lost has changed. */
  readonly onHealth: (health: JournalHealth) => void;
  /** What a store held that could not be read at the start: it joins what has happened since. */
  readonly onLateLoad: (loaded: Loaded) => void;
}

/** After a failed write, the next tries wait this long, twice as long each time. */
const retryMs = { first: 1_000, last: 30_000 };

/**
 * Writes what happens to a store, behind what is done: the facts of one turn of the event loop are one transaction at its end, so that
 * pushing never waits for a disk. While the store can't be written they wait, within a bound, and it is tried again.
 */
export class Journal {
  readonly #options: JournalOptions;
  #hooks: JournalHooks | null = null;
  readonly #backlog = new Backlog();
  /** The state may have changed since it was written; so may a store that was never written to. */
  #isDirty = true;
  #isLoaded = false;
  #isWriting = false;
  #failure: { reason: string; since: number; retryAt: number; delayMs: number } | null = null;
  /** The health that was told of last. */
  #told: string | null = null;
  #end: NodeJS.Immediate | undefined;
  #retry: NodeJS.Timeout | undefined;
  #writes: Promise<void> = Promise.resolve();
  #closed: Promise<void> | null = null;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  get health(): JournalHealth {
    if (this.#failure === null) return { ok: true };
    const { reason, since } = this.#failure;
    return { ok: false, reason, since, waiting: this.#backlog.size, lost: this.#backlog.lost };
  }

  /** What was known before; null where it can't be read now (`health` says why). Rejects with LedgerError where the store can't be used. */
  async load(): Promise<Loaded | null> {
    try {
      const loaded = await this.#options.store.load();
      this.#isLoaded = true;
      return loaded;
    } catch (error) {
      if (error instanceof LedgerError) throw error;
      this.#fail(error);
      this.#tell();
      return null;
    }
  }

  /** From here on it writes. */
  begin(hooks: JournalHooks): void {
    this.#hooks = hooks;
    if (this.#failure !== null) this.#tell();
  }

  /** Also with no facts: the state has changed. Pushing never waits: what this turn sends leaves before immediates run. */
  add(facts: readonly Fact[]): void {
    this.#backlog.add(facts, this.#options.now());
    this.#isDirty = true;
    if (this.#failure !== null || this.#isWriting) {
      this.#backlog.trim();
      this.#tell();
    }
    if (this.#failure === null) this.#end ??= setImmediate(() => void this.flush());
  }

  /** Writes what waits, now; resolves when it was tried. While that fails it is tried no more often than by itself. */
  flush(): Promise<void> {
    clearImmediate(this.#end);
    this.#end = undefined;
    return this.#inTurn(() => !this.#isResting());
  }

  /** As the store's; while that can't answer, from what waits in memory. */
  history(query: HistoryQuery): Promise<HistoryEntry[]> {
    return this.#ask((store) => store.history(query));
  }

  /** As `history`. */
  story(prefix: string): Promise<Story | null | 'ambiguous'> {
    return this.#ask((store) => store.story(prefix));
  }

  /** As the store's. While that can't be written it doesn't know what was decided meanwhile: nothing is concluded from it. */
  async outcomes(versions: readonly string[]): Promise<ReadonlyMap<string, FinalOutcome>> {
    await this.flush();
    if (this.#failure !== null) return new Map();
    return this.#options.store.outcomes(versions).catch((error: unknown) => {
      this.#failAndTell(error);
      return new Map();
    });
  }

  /** Writes what waits, and lets go of the store. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    clearImmediate(this.#end);
    clearTimeout(this.#retry);
    await this.#writes;
    await this.#write();
    clearTimeout(this.#retry); // nothing is tried again
    await this.#options.store.close();
  }

  /** Writes come one after the other. */
  #inTurn(isDue: () => boolean): Promise<void> {
    this.#writes = this.#writes.then(() => (isDue() ? this.#write() : undefined));
    return this.#writes;
  }

  #isResting(): boolean {
    return this.#closed !== null || (this.#failure !== null && this.#options.now() < this.#failure.retryAt);
  }

  async #write(): Promise<void> {
    if (this.#hooks === null) return; // a load that failed is tried again once there is something to write
    if (!this.#isDirty && this.#failure === null) {
      this.#tell();
      return;
    }
    this.#isWriting = true;
    try {
      await this.#loadLate();
      await this.#commit();
    } catch (error) {
      this.#isDirty = true;
      this.#fail(error);
      this.#backlog.trim();
    }
    this.#isWriting = false;
    this.#tell();
  }

  async #loadLate(): Promise<void> {
    if (this.#isLoaded) return;
    const loaded = await this.#options.store.load();
    this.#isLoaded = true;
    if (loaded.memory !== null) this.#hooks?.onLateLoad(loaded);
  }

  async #commit(): Promise<void> {
    const batch = this.#batch();
    const { lost } = this.#backlog;
    this.#isDirty = false;
    await this.#options.store.commit(batch);
    const trimmed = this.#backlog.lost - lost; // of those that are written now
    this.#backlog.remove(Math.max(0, batch.facts.length - trimmed));
    this.#backlog.forgetLost();
    this.#failure = null;
    clearTimeout(this.#retry);
  }

  #batch(): Batch {
    if (this.#hooks === null) throw new Error('the journal has not begun');
    return { facts: this.#backlog.list(), ...this.#hooks.state() };
  }

  #fail(error: unknown): void {
    const now = this.#options.now();
    const { since = now, delayMs = retryMs.first } = this.#failure ?? {};
    const reason = error instanceof Error ? error.message : String(error);
    this.#failure = { reason, since, retryAt: now + delayMs, delayMs: Math.min(2 * delayMs, retryMs.last) };
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#inTurn(() => this.#closed === null), delayMs).unref();
  }

  #failAndTell(error: unknown): void {
    if (this.#failure !== null) return;
    this.#fail(error);
    this.#tell();
  }

  #tell(): void {
    const { health } = this;
    const told = health.ok ? '' : `${health.lost} ${health.reason}`;
    if (this.#hooks === null || told === this.#told) return;
    this.#told = told;
    this.#hooks.onHealth(health);
  }

  async #ask<T>(question: (store: Store) => Promise<T>): Promise<T> {
    await this.flush();
    try {
      return await question(this.#options.store);
    } catch (error) {
      this.#failAndTell(error);
      return this.#askMemory(question);
    }
  }

  async #askMemory<T>(question: (store: Store) => Promise<T>): Promise<T> {
    const store = memoryStore();
    await store.commit(this.#batch());
    try {
      return await question(store);
    } finally {
      await store.close();
    }
  }
}
