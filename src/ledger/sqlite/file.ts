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
import { migrate, pragma } from './migrate.ts';
import { CorruptLedger, isCorruption, messageLine } from './sqlite-error.ts';

/** Names in the state directory. */
export const ledgerFile = 'ledger.sqlite';
export const lockFile = 'ledger.lock';

/** Milliseconds that a write waits for another program's (a backup's, a shell's) lock on the database. */
const busyTimeoutMs = 500;
/** The write-ahead log is cut back to this after a checkpoint. */
const logBytes = 16 * 1024 * 1024;
/** How many corrupt files are kept: a bad disk must not fill up with them. */
const maxSetAside = 3;

/** Creates a directory that only this user can open; one that exists keeps its mode. */
export function ensureDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
}

/** Creates an empty file that only this user can read, unless it exists: SQLite gives -wal and -shm the same mode. */
export function createPrivate(file: string): void {
  // An existing file is not opened: closing it would drop this process's fcntl locks on it.
  if (existsSync(file)) return makePrivate(file);
  closeSync(openSync(file, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600));
}

function makePrivate(file: string): void {
  try {
    chmodSync(file, 0o600);
  } catch {
    // Another user's file, which we may still be able to write.
  }
}

/**
 * Opens a ledger for writing, and returns the result of `read`. A damaged file is renamed and replaced by a new one; `notice` gets a
 * message about it.
 * Throws LedgerError `ledger-newer`, or the system's error when the file can't be reached.
 */
export function openDatabase<T>(file: string, { at, notice, read }: Opening<T>): T {
  try {
    return openSound(file, read);
  } catch (error) {
    if (!isCorruption(error)) throw error;
    const aside = setAside(file, at);
    notice(
      `${file} is not a valid ledger (${messageLine(error)}): it was renamed to ${aside}, and a new ledger was started`,
    );
    return openSound(file, read);
  }
}

export interface Opening<T> {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly notice: (text: string) => void;
  /** Throws an error that `isCorruption` recognizes if the content is damaged. */
  readonly read: (db: DatabaseSync) => T;
}

/**
 * Opens a ledger read-only, even in a read-only directory or on a full disk. Throws the system's error.
 * @param isOurs no other process writes it, so an empty log counts as none.
 */
export function openForReading(file: string, isOurs: boolean): DatabaseSync {
  requireRegular(file);
  try {
    return probed(new DatabaseSync(file, { readOnly: true, timeout: busyTimeoutMs }));
  } catch (error) {
    const log = statSync(`${file}-wal`, { throwIfNoEntry: false });
    if (log !== undefined && (log.size > 0 || !isOurs)) throw error;
    // SQLite can't create the shared memory that WAL needs; but without a log nobody is writing, so the file is complete.
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
    // FULL: a recorded outcome must survive a power failure, and there are few transactions.
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

/** Opening a FIFO or a device could hang. */
function requireRegular(file: string): void {
  if (existsSync(file) && !statSync(file).isFile()) throw new Error(`${file} is not a regular file`);
}

/** Renames a corrupt database with its -wal and -shm; returns the new name. */
function setAside(file: string, at: number): string {
  const stamp = new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const aside = freeName(`${file}.corrupt-${stamp}`);
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  }
  removeOldest(file);
  return aside;
}

function freeName(name: string): string {
  for (let n = 1; ; n += 1) {
    const candidate = n === 1 ? name : `${name}.${n}`;
    if (!existsSync(candidate)) return candidate;
  }
}

function removeOldest(file: string): void {
  const directory = path.dirname(file);
  const aside = readdirSync(directory)
    .filter((name) => name.startsWith(`${path.basename(file)}.corrupt-`) && !/-(wal|shm)$/.test(name))
    .sort();
  for (const name of aside.slice(0, -maxSetAside)) {
    for (const suffix of ['', '-wal', '-shm']) rmSync(path.join(directory, name + suffix), { force: true });
  }
}
