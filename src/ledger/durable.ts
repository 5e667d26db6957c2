import path from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { addToBacklog, emptyBacklog, trimBacklog } from './backlog.ts';
import { changedCustomers } from './customers.ts';
import type { LedgerEntry, Stamped } from './entry.ts';
import { LedgerError, sqliteCode } from './error.ts';
import { ensureDirectory, ledgerFile, lockFile, openDatabase, openForReading } from './file.ts';
import type { LedgerHealth } from './health.ts';
import { reasonOf } from './health.ts';
import type { Release } from '../release/release.ts';
import type { Outcome } from '../rollout/types.ts';
import { contentDigest } from './content.ts';
import type { HistoryEntry, HistoryQuery, Story } from './history.ts';
import { readDecided, readHistory, readMembers, readOpen, readRevision, readStory } from './history.ts';
import { loadView } from './load.ts';
import type { Lock } from './lock.ts';
import { takeLock } from './lock.ts';
import type { Retention } from './prune.ts';
import { defaultRetention } from './prune.ts';
import type { Store } from './store.ts';
import { createStore, memoryStore, prune, writeBatch } from './store.ts';
import type { Ledger, LedgerOptions, Restored } from './types.ts';
import type { View } from './view.ts';
import { applyEntry, emptyView, isKept, mergeView } from './view.ts';

/** After a failed write, the next tries wait this long, twice as long each time. */
const retryMs = { first: 1000, last: 30_000 };
/** Old revisions are pruned once in so many new ones. */
const pruneEvery = 100;

/** The one implementation of Ledger: `openLedger` makes it. */
export class DurableLedger implements Ledger {
  readonly #directory: string;
  readonly #clock: () => number;
  readonly #retention: Retention;
  readonly #notices: string[] = [];
  #view: View = emptyView();
  /** The view holds what the file held: it was read once. */
  #loaded = false;
  #lock: Lock | null = null;
  #disk: Store | null = null;
  /** For questions, while the file can be read and not written. */
  #readOnly: Store | null = null;
  #backlog = emptyBacklog();
  #failure: { reason: string; since: number; retryAt: number; delayMs: number } | null = null;
  #sincePrune = 0;
  #lastContent: { readonly version: string; readonly digest: string } | null = null;

  constructor({ directory, clock = Date.now, retention = defaultRetention }: LedgerOptions) {
    this.#directory = directory;
    this.#clock = clock;
    this.#retention = retention;
    try {
      this.#connect();
      this.prune();
    } catch (error) {
      this.#disconnect();
      if (error instanceof LedgerError) {
        this.#lock?.release();
        throw error;
      }
      this.#fail(error);
    }
  }

  get notices(): readonly string[] {
    return this.#notices;
  }

  get health(): LedgerHealth {
    if (this.#failure === null) return { ok: true };
    const { reason, since } = this.#failure;
    return { ok: false, reason, since, waiting: this.#backlog.entries.length, lost: this.#backlog.lost };
  }

  restore(): Restored {
    const { live, proven, pins, holds, accepted, muted, tip, seq, head } = this.#view;
    const releases = new Map(
      [...this.#view.releases].filter(([version]) => version === live?.version || version === proven),
    );
    return {
      live,
      proven,
      pins: new Map(pins),
      holds: new Map(holds),
      accepted: new Set(accepted),
      muted: new Set(muted),
      members: this.#read(({ statements }) => readMembers(statements), 0),
      releases,
      tip,
      seq,
      head: head === null ? null : this.#read(({ statements }) => readRevision(statements, head), null),
    };
  }

  record(entry: LedgerEntry): void {
    this.recordAll([entry]);
  }

  recordAll(entries: readonly LedgerEntry[]): void {
    const at = this.#clock();
    const news = entries.flatMap((entry) => (isKept(this.#view, entry) ? [] : [this.#stamp(entry, at)]));
    addToBacklog(this.#backlog, news);
    this.flush();
    trimBacklog(this.#backlog);
    this.#sincePrune += entries.filter(({ type }) => type === 'revision').length;
    if (this.#sincePrune >= pruneEvery) this.prune();
  }

  history(query: HistoryQuery): HistoryEntry[] {
    return this.#read(({ statements }) => readHistory(statements, query), []);
  }

  story(versionPrefix: string): Story | null | 'ambiguous' {
    return this.#read(({ statements }) => readStory(statements, versionPrefix), null);
  }

  decided(versions: readonly string[]): ReadonlySet<string> {
    return this.#read(({ statements }) => readDecided(statements, versions), new Set());
  }

  open(): { version: string; before: Outcome | null }[] {
    return this.#read(({ statements }) => readOpen(statements), []);
  }

  wasLive({ fields }: Release): boolean {
    return this.#view.contents.has(contentDigest(fields));
  }

  prune(): number {
    if (this.#disk === null || this.#failure !== null) return 0;
    this.#sincePrune = 0;
    try {
      return prune(this.#disk, this.#retention, this.#clock());
    } catch (error) {
      this.#fail(error);
      return 0;
    }
  }

  flush(): void {
    if (this.#failure === null || this.#clock() >= this.#failure.retryAt) this.#writeBacklog();
  }

  close(): void {
    this.#writeBacklog();
    this.#disconnect();
    this.#lock?.release();
    this.#lock = null;
  }

  #stamp(entry: LedgerEntry, at: number): Stamped {
    const before = [...this.#view.releases.values()].at(-1)?.release.fields ?? null;
    const customers = entry.type === 'release' ? changedCustomers(before, entry.release.fields) : [];
    const stamped: Stamped = { id: this.#view.nextId, at, entry, customers, content: this.#contentOf(entry) };
    this.#view.nextId += 1;
    applyEntry(this.#view, stamped);
    return stamped;
  }

  /** Asked for twice of most releases: live, then proven. */
  #contentOf(entry: LedgerEntry): string | null {
    if (entry.type !== 'live' || entry.live === null) return null;
    const { version } = entry.live;
    if (this.#lastContent?.version === version) return this.#lastContent.digest;
    const stored = this.#view.releases.get(version);
    if (stored === undefined) return null;
    this.#lastContent = { version, digest: contentDigest(stored.release.fields) };
    return this.#lastContent.digest;
  }

  #writeBacklog(): void {
    const recovering = this.#failure !== null;
    if (this.#backlog.entries.length === 0 && !recovering) return;
    try {
      const disk = this.#disk ?? this.#connect();
      const checkpoint = recovering ? { view: this.#view, at: this.#clock() } : null;
      writeBatch(disk, { entries: this.#backlog.entries, checkpoint }, this.#retention);
      this.#backlog = emptyBacklog();
      this.#failure = null;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Opens the file, and takes into the view what it holds, if that was not yet possible. */
  #connect(): Store {
    ensureDirectory(this.#directory);
    this.#lock ??= takeLock(path.join(this.#directory, lockFile));
    const { content } = openDatabase(this.#file, {
      at: this.#clock(),
      notice: (text) => this.#notices.push(text),
      read: readStore,
    });
    this.#adopt(content.view);
    this.#disconnect();
    this.#disk = content.store;
    return content.store;
  }

  #adopt(file: View): void {
    if (this.#loaded) return;
    const { view, shift } = mergeView(file, this.#view);
    this.#view = view;
    this.#backlog.entries = this.#backlog.entries.map((stamped) => ({ ...stamped, id: stamped.id + shift }));
    this.#loaded = true;
  }

  /** What a file says that can be read and not written: its pins count. */
  #openReadOnly(): void {
    try {
      const { store, view } = readStore(openForReading(this.#file));
      this.#readOnly = store;
      this.#adopt(view);
    } catch {
      // Nothing to read either: `health` has told of the directory already.
    }
  }

  get #file(): string {
    return path.join(this.#directory, ledgerFile);
  }

  /** For questions: the file, or, where there is none, what is in memory. */
  #reader(): Store {
    const open = this.#disk ?? this.#readOnly;
    if (open !== null) return open;
    const store = memoryStore();
    writeBatch(
      store,
      { entries: this.#backlog.entries, checkpoint: { view: this.#view, at: this.#clock() } },
      this.#retention,
    );
    return store;
  }

  #read<T>(question: (store: Store) => T, otherwise: T): T {
    try {
      return question(this.#reader());
    } catch (error) {
      this.#fail(error);
      return otherwise;
    }
  }

  #fail(error: unknown): void {
    const now = this.#clock();
    const { since = now, delayMs = retryMs.first } = this.#failure ?? {};
    const reason = reasonOf(error, this.#directory);
    this.#failure = { reason, since, retryAt: now + delayMs, delayMs: Math.min(2 * delayMs, retryMs.last) };
    if (!passes(error)) this.#disconnect();
    if (this.#disk === null && this.#readOnly === null) this.#openReadOnly();
  }

  #disconnect(): void {
    this.#disk?.db.close();
    this.#readOnly?.db.close();
    this.#disk = null;
    this.#readOnly = null;
  }
}

function readStore(db: DatabaseSync): { store: Store; view: View } {
  const store = createStore(db);
  return { store, view: loadView(store.statements) };
}

/** A full disk or a busy database: the open file is as good as a new one. */
function passes(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === 13 || code === 5;
}
