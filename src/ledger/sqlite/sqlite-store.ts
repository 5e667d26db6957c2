import { existsSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Version } from '../../ids.ts';
import type { FinalOutcome } from '../../rollout/types.ts';
import { LedgerError } from '../ledger-error.ts';
import type { Batch, HistoryEntry, HistoryQuery, LiveEntry, LivesQuery, Loaded, Store, Story } from '../store.ts';
import { commitBatch, createLedger } from './commit.ts';
import type { Ledger } from './commit.ts';
import { ensureDirectory, ledgerFile, lockFile, openDatabase, openForReading } from './file.ts';
import { takeLock } from './lock.ts';
import type { Lock } from './lock.ts';
import { defaultRetention } from './prune.ts';
import type { Retention } from './prune.ts';
import { readHistory, readLives, readStory } from './read.ts';
import { migrate, requireCurrent } from './migrate.ts';
import { readLoaded, readOutcomes } from './saved-state.ts';
import { createStatements } from './statements.ts';
import type { Statements } from './statements.ts';
import { isTransient, reasonOf } from './sqlite-error.ts';

export interface StoreOptions {
  /** The state directory; created if missing, for this user only. */
  readonly directory: string;
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  readonly retention?: Retention;
  /** Gets a message for the operator when a damaged file was renamed, or the file was deleted. */
  readonly notice?: (text: string) => void;
}

export interface ReadOnlyLedger {
  readonly db: DatabaseSync;
  readonly statements: Statements;
}

/** A daemon's ledger in a file. Opened by the first call that needs it, and reopened after a failure. */
export class SqliteStore implements Store {
  readonly #options: Required<StoreOptions>;
  #lock: Lock | null = null;
  #ledger: Ledger | null = null;
  /** What opening it read, until `load` takes it. */
  #loaded: Loaded | null = null;
  /** A call has failed since the last commit: the journal may have dropped facts. */
  #hasFailed = false;
  /** Used while the file can be read but not written. */
  #reader: ReadOnlyLedger | null = null;

  constructor(options: StoreOptions) {
    this.#options = { clock: Date.now, retention: defaultRetention, notice: () => undefined, ...options };
  }

  load(): Promise<Loaded> {
    return this.#attempt(() => {
      const { statements } = this.#ledger ?? this.#connectOrRead();
      const loaded = this.#loaded ?? readLoaded(statements);
      this.#loaded = null;
      return loaded;
    });
  }

  commit(batch: Batch): Promise<void> {
    return this.#attempt(() => {
      if (this.#ledger !== null && !existsSync(this.#file)) this.#beginAnew();
      const ledger = this.#ledger ?? this.#connect();
      this.#loaded = null;
      const { retention, clock } = this.#options;
      commitBatch(ledger, batch, { retention, now: clock(), isCut: this.#hasFailed });
      this.#hasFailed = false;
    });
  }

  history(query: HistoryQuery): Promise<HistoryEntry[]> {
    return this.#ask((statements) => readHistory(statements, query));
  }

  lives(query: LivesQuery): Promise<LiveEntry[]> {
    return this.#ask((statements) => readLives(statements, query));
  }

  story(prefix: string): Promise<Story | null | 'ambiguous'> {
    return this.#ask((statements) => readStory(statements, prefix));
  }

  outcomes(versions: readonly Version[]): Promise<ReadonlyMap<Version, FinalOutcome>> {
    return this.#ask((statements) => readOutcomes(statements, versions));
  }

  close(): Promise<void> {
    this.#letGo();
    return Promise.resolve();
  }

  /** Works on a file that can't be written, too. Doesn't rename a damaged one. */
  #ask<T>(question: (statements: Statements) => T): Promise<T> {
    return this.#attempt(() => question((this.#ledger ?? this.#reader ?? this.#openReader()).statements));
  }

  #attempt<T>(work: () => T): Promise<T> {
    return Promise.try(() => {
      try {
        return work();
      } catch (error) {
        throw this.#toFailure(error);
      }
    });
  }

  #toFailure(error: unknown): Error {
    if (error instanceof LedgerError) {
      this.#letGo();
      return error;
    }
    this.#hasFailed = true;
    if (!isTransient(error)) this.#disconnect();
    return new Error(reasonOf(error, this.#options.directory), { cause: error });
  }

  /** Falls back to read-only. If that fails, too, throws why it can't be written: the operator has to fix that. */
  #connectOrRead(): ReadOnlyLedger {
    try {
      return this.#connect();
    } catch (error) {
      if (error instanceof LedgerError) throw error;
      try {
        return this.#reader ?? this.#openReader();
      } catch {
        throw error;
      }
    }
  }

  #connect(): Ledger {
    const { directory, clock, notice } = this.#options;
    ensureDirectory(directory);
    this.#lock ??= takeLock(path.join(directory, lockFile));
    const { ledger, loaded } = openDatabase(this.#file, { at: clock(), notice, read: createLedger });
    this.#disconnect();
    this.#ledger = ledger;
    this.#loaded = loaded;
    return ledger;
  }

  /** What is written to a file that was deleted is lost with the process: the next one would know nothing. */
  #beginAnew(): void {
    this.#letGo();
    this.#hasFailed = true;
    this.#options.notice(`${this.#file} was deleted: a new ledger is begun, with what is served now and no history`);
  }

  #openReader(): ReadOnlyLedger {
    this.#reader = openCurrent(this.#file, this.#lock !== null);
    return this.#reader;
  }

  get #file(): string {
    return path.join(this.#options.directory, ledgerFile);
  }

  #letGo(): void {
    this.#disconnect();
    this.#lock?.release();
    this.#lock = null;
  }

  #disconnect(): void {
    this.#ledger?.db.close();
    this.#reader?.db.close();
    this.#ledger = null;
    this.#reader = null;
    this.#loaded = null;
  }
}

/**
 * Opens a ledger read-only. `isOurs`: this process has its lock. Throws the system's error, and LedgerError for one of another schema.
 */
export function openCurrent(file: string, isOurs: boolean): ReadOnlyLedger {
  const db = openForReading(file, isOurs);
  try {
    requireCurrent(db, file);
    return { db, statements: createStatements(db) };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A ledger in memory. */
export function memoryStore(): Store {
  const db = new DatabaseSync(':memory:');
  migrate(db, ':memory:');
  const { ledger } = createLedger(db);
  const { statements } = ledger;
  return {
    load: () => Promise.try(() => readLoaded(statements)),
    commit: (batch) =>
      Promise.try(() => commitBatch(ledger, batch, { retention: defaultRetention, now: Date.now(), isCut: true })),
    history: (query) => Promise.try(() => readHistory(statements, query)),
    lives: (query) => Promise.try(() => readLives(statements, query)),
    story: (prefix) => Promise.try(() => readStory(statements, prefix)),
    outcomes: (versions) => Promise.try(() => readOutcomes(statements, versions)),
    close: () => Promise.try(() => db.close()),
  };
}
