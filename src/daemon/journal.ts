import type { LedgerEntry } from '../ledger/entry.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Outcome } from '../rollout/types.ts';

type Written = Pick<Ledger, 'recordAll' | 'flush' | 'health' | 'decided' | 'open' | 'story'>;

/** How often a ledger that can't be written is asked again; it waits longer by itself. */
const retryMs = 1_000;

/** Gathers what happens in one turn of the event loop, and has the ledger write it as one transaction at its end. */
export class Journal {
  readonly #ledger: Written;
  readonly #onHealth: (health: Ledger['health']) => void;
  #entries: LedgerEntry[] = [];
  /** Of this turn. */
  #end: NodeJS.Immediate | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(ledger: Written, onHealth: (health: Ledger['health']) => void) {
    this.#ledger = ledger;
    this.#onHealth = onHealth;
  }

  /** Pushing never waits for the disk: the write comes after what this turn sends, which leaves before immediates run. */
  add(entry: LedgerEntry): void {
    if (this.#entries.length === 0) this.#end = setImmediate(() => this.flush());
    this.#entries.push(entry);
  }

  /**
   * As the ledger's. While that can't be written it doesn't know what was decided meanwhile: nothing is concluded from it.
   */
  decided(versions: readonly string[]): ReadonlySet<string> {
    return this.#ledger.health.ok ? this.#ledger.decided(versions) : new Set();
  }

  /** As the ledger's, with all that was added; none while it can't be written. */
  open(): ReturnType<Ledger['open']> {
    this.flush();
    return this.#ledger.health.ok ? this.#ledger.open() : [];
  }

  /** The final outcome that a revision had before it was held, or null; undefined while the ledger can't tell. */
  outcomeBeforeHold(version: string): Outcome | null | undefined {
    this.flush();
    if (!this.#ledger.health.ok) return undefined;
    const story = this.#ledger.story(version);
    if (story === null || story === 'ambiguous') return null;
    const outcomes = story.events.filter(({ type }) => type === 'outcome').map(({ detail }) => detail['outcome']);
    return (outcomes.findLast((outcome) => outcome !== 'held') ?? null) as Outcome | null;
  }

  /** Writes what waits; while that fails, it is tried again by itself. */
  flush(): void {
    clearImmediate(this.#end);
    const entries = this.#entries;
    this.#entries = [];
    if (entries.length > 0) this.#ledger.recordAll(entries);
    else this.#ledger.flush();
    const { health } = this.#ledger;
    this.#onHealth(health);
    clearTimeout(this.#retry);
    if (!health.ok) this.#retry = setTimeout(() => this.flush(), retryMs).unref();
  }
}
