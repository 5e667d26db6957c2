/** Why a ledger can't be used at all, in words for an operator. Explained in docs/ledger.md. */
export class LedgerError extends Error {
  readonly code: LedgerErrorCode;
  readonly hint: string;

  constructor(code: LedgerErrorCode, message: string, hint: string) {
    super(message);
    this.name = 'LedgerError';
    this.code = code;
    this.hint = hint;
  }
}

/** The closed list of codes. */
export type LedgerErrorCode = (typeof ledgerErrorCodes)[number];

export const ledgerErrorCodes = ['ledger-locked', 'ledger-newer', 'ledger-missing', 'ledger-unreadable'] as const;

/** SQLite's primary result code (https://sqlite.org/rescode.html) of what node:sqlite threw, or null where it was something else. */
export function sqliteCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null;
  return error.errcode & 0xff;
}

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

/** An error in one line, without a stack. */
export function words(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ');
}
