import { Worker } from 'node:worker_threads';
import { LedgerError } from './ledger-error.ts';
import type { LedgerErrorCode } from './ledger-error.ts';
import type { StoreOptions } from './sqlite/sqlite-store.ts';
import type { Batch, Store, StoredRelease } from './store.ts';

/** Options that can be passed to a thread: no functions. */
export type ThreadOptions = Pick<StoreOptions, 'directory' | 'retention'>;

export interface StoreCall {
  readonly id: number;
  readonly method: keyof Store;
  readonly argument: unknown;
}

/** A release that the thread has already is sent as its version. The thread parses the config, up to 100,000 customers, from the text. */
export interface ThreadedBatch extends Omit<Batch, 'releases'> {
  readonly releases: readonly (string | SentRelease)[];
}

export type SentRelease = Omit<StoredRelease, 'release'> & Omit<StoredRelease['release'], 'config' | 'next'>;

export type Message =
  | { readonly notice: string }
  | { readonly id: number; readonly result: unknown }
  | {
      readonly id: number;
      readonly message: string;
      readonly ledger: { readonly code: LedgerErrorCode; readonly hint: string } | null;
    };

/** A call that takes longer fails, though the thread may still complete it. */
const callMs = 30_000;
/** The same at shutdown. */
const closeMs = 5_000;

/** `.ts` in the source tree, `.js` in the package. */
const script = new URL(import.meta.url.endsWith('.ts') ? './store-thread.ts' : './store-thread.js', import.meta.url);

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Runs the SQLite store in a thread: SQLite is synchronous, and neither a release with 100,000 customers nor a disk that hangs may block
 * the streams. Calls run in order, each with a time limit. The next call restarts a thread that has ended.
 */
export class ThreadedStore implements Store {
  readonly #options: ThreadOptions;
  readonly #notice: (text: string) => void;
  readonly #waiting = new Map<number, Waiting>();
  #thread: Worker | null = null;
  #calls = 0;
  /** Calls that were given up and that the thread is still to answer. */
  readonly #overdue = new Set<number>();
  /** The releases that the thread has. */
  #sent = new Map<string, StoredRelease['resource']>();
  readonly #callMs: number;

  /** `limitMs`: of one call. */
  constructor({ directory, retention, notice = () => undefined }: Omit<StoreOptions, 'clock'>, limitMs = callMs) {
    this.#options = { directory, ...(retention && { retention }) };
    this.#notice = notice;
    this.#callMs = limitMs;
  }

  load: Store['load'] = () => this.#call('load');
  history: Store['history'] = (query) => this.#call('history', query);
  lives: Store['lives'] = (query) => this.#call('lives', query);
  story: Store['story'] = (prefix) => this.#call('story', prefix);
  outcomes: Store['outcomes'] = (versions) => this.#call('outcomes', versions);

  commit(batch: Batch): Promise<void> {
    const thread = this.#start(); // before #sent is read: a new thread has nothing
    return this.#ask(thread, 'commit', () => this.#toThreaded(batch));
  }

  async close(): Promise<void> {
    const thread = this.#thread;
    if (thread === null) return;
    await this.#ask(thread, 'close', () => undefined, closeMs).catch(() => undefined);
    this.#thread = null;
    await thread.terminate();
  }

  #call<T>(method: keyof Store, argument?: unknown): Promise<T> {
    return this.#ask(this.#start(), method, () => argument);
  }

  #toThreaded(batch: Batch): ThreadedBatch {
    const releases = batch.releases.map(({ release: { version, subject }, resource, content }) =>
      this.#sent.get(version) === resource ? version : { version, subject, resource, content },
    );
    this.#sent = new Map(batch.releases.map(({ release, resource }) => [release.version, resource]));
    return { ...batch, releases };
  }

  /** Rejects at once while an earlier call is overdue: a disk that hangs for hours must not make a queue of them. */
  async #ask<T>(thread: Worker, method: keyof Store, argument: () => unknown, limitMs = this.#callMs): Promise<T> {
    const late = `the ledger in ${this.#options.directory} has not answered for ${limitMs / 1000} s: check its disk; pushing goes on, and what happens is kept in memory`;
    if (this.#overdue.size > 0) throw new Error(late);
    const id = (this.#calls += 1);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { resolve, reject });
    const timer = setTimeout(() => {
      this.#overdue.add(id);
      reject(new Error(late));
    }, limitMs);
    thread.ref();
    try {
      thread.postMessage({ id, method, argument: argument() } satisfies StoreCall);
      return (await promise) as T;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) thread.unref();
    }
  }

  #start(): Worker {
    if (this.#thread !== null) return this.#thread;
    const thread = new Worker(script, { workerData: this.#options, execArgv: [] });
    this.#thread = thread;
    this.#sent = new Map();
    let reason = 'its thread has ended';
    thread.on('message', (message: Message) => this.#onMessage(message));
    thread.on('error', (error: Error) => (reason = error.message));
    thread.once('exit', () => this.#onExit(thread, reason));
    return thread;
  }

  #onMessage(message: Message): void {
    if ('notice' in message) return this.#notice(message.notice);
    this.#overdue.delete(message.id);
    const waiting = this.#waiting.get(message.id);
    if ('result' in message) return waiting?.resolve(message.result);
    const { message: words, ledger } = message;
    waiting?.reject(ledger === null ? new Error(words) : new LedgerError(ledger.code, words, ledger.hint));
  }

  #onExit(thread: Worker, reason: string): void {
    if (this.#thread === thread) this.#thread = null;
    this.#overdue.clear();
    for (const { reject } of this.#waiting.values())
      reject(new Error(`the ledger in ${this.#options.directory} can't be used: ${reason}`));
  }
}
