import type { Version } from '../ids.ts';
import { backoffMs } from '../failures.ts';
import { within } from '../within.ts';
import type { FinalOutcome } from '../rollout/types.ts';
import type { Fact } from '../state/facts.ts';
import type { JournalHealth, JournalHooks, JournalOptions } from './journal-options.ts';
import { LedgerError } from './ledger-error.ts';
import { memoryStore } from './sqlite/sqlite-store.ts';
import type { Batch, HistoryEntry, HistoryQuery, LiveEntry, LivesQuery, Loaded, Store, Story } from './store.ts';
import { UnwrittenFacts } from './unwritten-facts.ts';

/** The delay before a failed write is retried; it doubles each time. */
const retry = { firstMs: 1_000, longestMs: 30_000 };
/** How long to wait for a disk: where a push depends on it, and for a query of the history. */
const pushMs = 1_000;
const askMs = 5_000;

/**
 * Writes facts to a store behind the daemon's work: those of one turn of the event loop are one transaction at its end, so that
 * pushing waits for no disk (but for a wave, which asks for `settled`). While the store can't be written, it keeps them, within a bound, and retries.
 */
export class Journal {
  readonly #options: JournalOptions;
  #hooks: JournalHooks | null = null;
  readonly #unwritten = new UnwrittenFacts();
  /** The state may differ from what is written; true at first, when the store's content is unknown. */
  #isDirty = true;
  #isLoaded = false;
  #isWriting = false;
  #failure: { reason: string; since: number; retryAt: number; count: number } | null = null;
  /** The health that was reported last. */
  #reported: string | null = null;
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
    return { ok: false, reason, since, waiting: this.#unwritten.size, lost: this.#unwritten.lost };
  }

  /** What the last process left; null if it can't be read now (`health` says why). Rejects with LedgerError if the store can't be used. */
  async load(): Promise<Loaded | null> {
    try {
      const loaded = await this.#options.store.load();
      this.#isLoaded = true;
      return loaded;
    } catch (error) {
      if (error instanceof LedgerError) throw error;
      this.#fail(error);
      this.#report();
      return null;
    }
  }

  /** Starts writing. */
  begin(hooks: JournalHooks): void {
    this.#hooks = hooks;
    if (this.#failure !== null) this.#report();
  }

  /** Call it without facts, too, when the state has changed. Pushes don't wait: this turn's leave before immediates run. */
  add(facts: readonly Fact[]): void {
    this.#unwritten.add(facts, this.#options.now());
    this.#isDirty = true;
    if (this.#failure !== null || this.#isWriting) {
      this.#unwritten.trim();
      this.#report();
    }
    this.#schedule();
  }

  /** Schedules a write for the end of this turn. After a failed write, the retry does it. */
  #schedule(): void {
    if (this.#failure === null && this.#isDirty) this.#end ??= setImmediate(() => void this.flush());
  }

  /** Tries to write now, and resolves after that. Between retries of a failed write it does nothing. */
  flush(): Promise<void> {
    clearImmediate(this.#end);
    this.#end = undefined;
    return this.#inTurn(() => !this.#isResting());
  }

  /** Like the store's; while that can't answer, from the facts in memory. */
  history(query: HistoryQuery): Promise<HistoryEntry[]> {
    return this.#ask((store) => store.history(query));
  }

  /** Like `history`. */
  lives(query: LivesQuery): Promise<LiveEntry[]> {
    return this.#ask((store) => store.lives(query));
  }

  /** Like `history`. */
  story(prefix: string): Promise<Story | null | 'ambiguous'> {
    return this.#ask((store) => store.story(prefix));
  }

  /** Like the store's. Empty while that can't be written, since it doesn't know the latest outcomes. */
  outcomes(versions: readonly Version[]): Promise<ReadonlyMap<Version, FinalOutcome>> {
    const none: ReadonlyMap<Version, FinalOutcome> = new Map();
    const ask = async (): Promise<ReadonlyMap<Version, FinalOutcome>> => {
      await this.flush();
      return this.#failure === null ? await this.#options.store.outcomes(versions) : none;
    };
    const known = ask().catch((error: unknown) => {
      this.#failAndReport(error);
      return none;
    });
    return within(pushMs, known, () => none);
  }

  /** Resolves when all facts so far are written, or can't be written now. Doesn't wait for a disk that hangs. */
  settled(): Promise<void> {
    return within(pushMs, this.flush(), () => undefined);
  }

  /** Writes what is left, and closes the store. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    clearImmediate(this.#end);
    clearTimeout(this.#retry);
    await this.#writes;
    await this.#write();
    clearTimeout(this.#retry); // that write may have failed
    await this.#options.store.close();
  }

  /** Runs writes one after the other. */
  #inTurn(isDue: () => boolean): Promise<void> {
    this.#writes = this.#writes.then(() => (isDue() ? this.#write() : undefined));
    return this.#writes;
  }

  #isResting(): boolean {
    return this.#closed !== null || (this.#failure !== null && this.#options.now() < this.#failure.retryAt);
  }

  async #write(): Promise<void> {
    if (this.#hooks === null) return; // a failed load is retried once there is something to write
    if (!this.#isDirty && this.#failure === null) {
      this.#report();
      return;
    }
    this.#isWriting = true;
    try {
      await this.#loadLate();
      await this.#commit();
    } catch (error) {
      this.#isDirty = true;
      this.#fail(error);
      this.#unwritten.trim();
    }
    this.#isWriting = false;
    this.#schedule(); // what was added while a retry succeeded
    this.#report();
  }

  async #loadLate(): Promise<void> {
    if (this.#isLoaded) return;
    const loaded = await this.#options.store.load();
    this.#isLoaded = true;
    if (loaded.memory !== null) this.#hooks?.onLateLoad(loaded);
  }

  async #commit(): Promise<void> {
    const batch = this.#batch();
    const { lost } = this.#unwritten;
    this.#isDirty = false;
    await this.#options.store.commit(batch);
    const trimmed = this.#unwritten.lost - lost; // dropped while they were being written
    this.#unwritten.remove(Math.max(0, batch.facts.length - trimmed));
    this.#unwritten.forgetLost();
    this.#failure = null;
    clearTimeout(this.#retry);
  }

  #batch(): Batch {
    if (this.#hooks === null) throw new Error('begin() was not called');
    return { facts: this.#unwritten.list(), ...this.#hooks.state() };
  }

  #fail(error: unknown): void {
    const now = this.#options.now();
    const { since = now, count: before = 0 } = this.#failure ?? {};
    const count = before + 1;
    const delayMs = backoffMs(count, retry);
    const reason = error instanceof Error ? error.message : String(error);
    this.#failure = { reason, since, retryAt: now + delayMs, count };
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#inTurn(() => this.#closed === null), delayMs).unref();
  }

  #failAndReport(error: unknown): void {
    if (this.#failure !== null) return;
    this.#fail(error);
    this.#report();
  }

  #report(): void {
    const { health } = this;
    const current = health.ok ? '' : `${health.lost} ${health.reason}`;
    if (this.#hooks === null || current === this.#reported) return;
    this.#reported = current;
    this.#hooks.onHealth(health);
  }

  #ask<T>(question: (store: Store) => Promise<T>): Promise<T> {
    const answer = this.flush()
      .then(() => question(this.#options.store))
      .catch((error: unknown) => {
        this.#failAndReport(error);
        return this.#askMemory(question);
      });
    return within(askMs, answer, () => this.#askMemory(question));
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
