/** Why a ledger can't be used at all, for the operator. Explained in docs/ledger.md. */
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
export type LedgerErrorCode = 'ledger-locked' | 'ledger-newer' | 'ledger-missing' | 'ledger-unreadable';
