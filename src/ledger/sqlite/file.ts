import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { migrate, pragma } from './schema.ts';
import { CorruptLedger, isCorruption, words } from './trouble.ts';

/** Names in the state directory. */
export const ledgerFile = 'ledger.sqlite';
export const lockFile = 'ledger.lock';

/** Milliseconds that a write waits for another program's (a backup's, a shell's) lock on the database. */
const busyTimeoutMs = 500;
/** The write-ahead log is cut back to this after a checkpoint. */
const logBytes = 16 * 1024 * 1024;
/** Corrupt files that are kept, so that a bad disk does not fill itself. */
const setAsideKept = 3;

/** Creates a directory for us alone; one that exists keeps its mode. */
export function ensureDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
}

/** Creates an empty file that only we can read, unless there is one: SQLite gives -wal and -shm its mode. */
export function createPrivate(file: string): void {
  // An existing file is not opened: closing it would drop this process's fcntl locks on it.
  if (existsSync(file)) return makePrivate(file);
  closeSync(openSync(file, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600));
}

function makePrivate(file: string): void {
  try {
    chmodSync(file, 0o600);
  } catch {
    // Another user's file that we may write nevertheless: as its owner wants it.
  }
}

/**
 * Opens a ledger for writing, and returns what `read` makes of it. A file that is no sound ledger is set aside under another name and begun
 * anew; `notice` is told.
 * Throws LedgerError `ledger-newer`, or what the machine said when the file can't be reached.
 */
export function openDatabase<T>(file: string, { at, notice, read }: Opening<T>): T {
  try {
    return openSound(file, read);
  } catch (error) {
    if (!isCorruption(error)) throw error;
    const aside = setAside(file, at);
    notice(`${file} was not a sound ledger (${words(error)}): it is now ${aside}, and a new one begins`);
    return openSound(file, read);
  }
}

export interface Opening<T> {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly notice: (text: string) => void;
  /** Throws what `isCorruption` knows where the content is not sound. */
  readonly read: (db: DatabaseSync) => T;
}

/**
 * Opens a ledger for reading alone, also from a read-only directory or a full disk. Throws what the machine said.
 * @param isOurs nobody else writes it: an empty log is then as good as none.
 */
export function openForReading(file: string, isOurs: boolean): DatabaseSync {
  requireRegular(file);
  try {
    return probed(new DatabaseSync(file, { readOnly: true, timeout: busyTimeoutMs }));
  } catch (error) {
    const log = statSync(`${file}-wal`, { throwIfNoEntry: false });
    if (log !== undefined && (log.size > 0 || !isOurs)) throw error;
    // SQLite can't make the shared memory that WAL needs; without a log nobody is writing, so the bare file is all there is.
    return probed(new DatabaseSync(new URL(`${pathToFileURL(file).href}?immutable=1`), { readOnly: true }));
  }
}

function probed(db: DatabaseSync): DatabaseSync {
  try {
    pragma(db, 'schema_version');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function openSound<T>(file: string, read: (db: DatabaseSync) => T): T {
  requireRegular(file);
  createPrivate(file);
  const db = new DatabaseSync(file, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
  try {
    // FULL: an outcome that was recorded must outlive the machine, and there are few transactions.
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = ${logBytes}`);
    const verdict = pragma(db, 'integrity_check(1)');
    if (verdict !== 'ok') throw new CorruptLedger(String(verdict));
    migrate(db, file);
    return read(db);
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A FIFO or a device would hang us. */
function requireRegular(file: string): void {
  if (existsSync(file) && !statSync(file).isFile()) throw new Error(`${file} is not a regular file`);
}

/** Renames a corrupt database and what belongs to it; returns the new name. */
function setAside(file: string, at: number): string {
  const stamp = new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const aside = freeName(`${file}.corrupt-${stamp}`);
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  }
  forgetOldest(file);
  return aside;
}

function freeName(name: string): string {
  for (let n = 1; ; n += 1) {
    const candidate = n === 1 ? name : `${name}.${n}`;
    if (!existsSync(candidate)) return candidate;
  }
}

function forgetOldest(file: string): void {
  const directory = path.dirname(file);
  const aside = readdirSync(directory)
    .filter((name) => name.startsWith(`${path.basename(file)}.corrupt-`) && !/-(wal|shm)$/.test(name))
    .sort();
  for (const name of aside.slice(0, -setAsideKept)) {
    for (const suffix of ['', '-wal', '-shm']) rmSync(path.join(directory, name + suffix), { force: true });
  }
}
