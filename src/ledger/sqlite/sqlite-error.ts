/** SQLite's primary result code (https://sqlite.org/rescode.html) of an error of node:sqlite; null for any other error. */
export function sqliteCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null;
  return error.errcode & 0xff;
}

export const resultCodes = { busy: 5, full: 13, notADatabase: 26 } as const;

/** Result codes about this machine (permissions, space, a lock), not about the file's content. */
const environmental: ReadonlySet<number> = new Set([3, 5, 6, 7, 8, 10, 13, 14, 22, 23]);

/** Whether opening failed because the file's content is not a valid ledger, and not because it can't be reached. */
export function isCorruption(error: unknown): boolean {
  const code = sqliteCode(error);
  if (code !== null) return !environmental.has(code);
  return error instanceof CorruptLedger || error instanceof SyntaxError;
}

/** The file is a database, but not a valid ledger. */
export class CorruptLedger extends Error {}

/** A full disk or a busy database: no need to reopen the file. */
export function isTransient(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === resultCodes.full || code === resultCodes.busy;
}

/** Result codes explained to the operator. */
const meanings: ReadonlyMap<number, string> = new Map([
  [5, 'another program has locked the database'],
  [8, 'the file or its directory is read-only'],
  [10, 'the disk reports an I/O error'],
  [11, 'the file is damaged'],
  [13, 'the disk is full'],
  [14, "the file can't be opened or created"],
  [26, 'the file is damaged'],
]);

/** Why the ledger in `directory` can't be written, and what that means. */
export function reasonOf(error: unknown, directory: string): string {
  const meaning = meanings.get(sqliteCode(error) ?? 0);
  const cause = meaning === undefined ? messageLine(error) : `${meaning} (${messageLine(error)})`;
  return `the ledger in ${directory} can't be written: ${cause}; pushing goes on, and what happens is kept in memory`;
}

/** An error's message in one line. */
export function messageLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ');
}
