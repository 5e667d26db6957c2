import { sqliteCode, words } from './error.ts';

/** Whether what happens is being remembered. */
export type LedgerHealth =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** For an operator: what fails, where, and what that means. */
      readonly reason: string;
      /** Milliseconds since the epoch. */
      readonly since: number;
      /** Entries that wait in memory to be written. */
      readonly waiting: number;
      /** Entries of the history that were given up, because too many waited. */
      readonly lost: number;
    };

/** Result codes of SQLite in an operator's words: https://sqlite.org/rescode.html */
const meanings: ReadonlyMap<number, string> = new Map([
  [5, 'another program holds the database locked'],
  [8, 'the file or its directory is read-only'],
  [10, 'the disk reports an I/O error'],
  [11, 'the file is damaged'],
  [13, 'the disk is full'],
  [14, 'the file can not be opened or created'],
  [26, 'the file is damaged'],
]);

/** Why the ledger in `directory` can't be written, and what follows from it. */
export function reasonOf(error: unknown, directory: string): string {
  const meaning = meanings.get(sqliteCode(error) ?? 0);
  const cause = meaning === undefined ? words(error) : `${meaning} (${words(error)})`;
  return `the ledger in ${directory} can not be written: ${cause}; pushing goes on, and what happens is kept in memory`;
}
