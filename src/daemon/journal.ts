import type { LedgerEntry } from '../ledger/entry.ts';
import type { Ledger } from '../ledger/ledger.ts';

/** Gathers what happens in one turn of the event loop, and has the ledger write it as one transaction at its end. */
export class Journal {
  readonly #ledger: Pick<Ledger, 'recordAll' | 'health'>;
  readonly #onHealth: (health: Ledger['health']) => void;
  #entries: LedgerEntry[] = [];

  constructor(ledger: Pick<Ledger, 'recordAll' | 'health'>, onHealth: (health: Ledger['health']) => void) {
    this.#ledger = ledger;
    this.#onHealth = onHealth;
  }

  /** Pushing never waits for the disk: the write comes after what this turn sends. */
  add(entry: LedgerEntry): void {
    if (this.#entries.length === 0) queueMicrotask(() => this.flush());
    this.#entries.push(entry);
  }

  flush(): void {
    const entries = this.#entries;
    this.#entries = [];
    if (entries.length > 0) this.#ledger.recordAll(entries);
    this.#onHealth(this.#ledger.health);
  }
}
