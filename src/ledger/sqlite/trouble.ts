/** SQLite's primary result code (https://sqlite.org/rescode.html) of what node:sqlite threw, or null where it was something else. */
export function sqliteCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null;
  return error.errcode & 0xff;
}

export const resultCodes = { busy: 5, full: 13, notADatabase: 26 } as const;

/** Result codes that speak of this machine (permissions, space, a lock), and not of the file's content. */
const environmental: ReadonlySet<number> = new Set([3, 5, 6, 7, 8, 10, 13, 14, 22, 23]);

/** Whether an error of opening says that the file's content is no ledger of ours, as opposed to that it can't be reached. */
export function isCorruption(error: unknown): boolean {
  const code = sqliteCode(error);
  if (code !== null) return !environmental.has(code);
  return error instanceof CorruptLedger || error instanceof SyntaxError;
}

/** The file is a database, but not a sound ledger. */
export class CorruptLedger extends Error {}

/** A full disk or a busy database: the open file is as good as a new one. */
export function passes(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === resultCodes.full || code === resultCodes.busy;
}

/** Result codes in an operator's words. */
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

/** An error in one line, without a stack. */
export function words(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ');
}
