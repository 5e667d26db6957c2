import type { Problem } from '../http/api.ts';
import type { Redact } from '../secrets.ts';

/** Everything that can fail for a while: `code` in status, log and metrics. docs/operating.md lists them. */
export const problemCodes = [
  'remote',
  'repository',
  'ref',
  'ref-deleted',
  'file',
  'rewritten',
  'backlog',
  'ledger',
  'notes',
  'status',
  'tls',
  'watch',
  'look-back',
  'unserved',
  'quarantine',
] as const;
export type ProblemCode = (typeof problemCodes)[number];

/** What fails now, by code. Each is reported once when it begins and once when it ends. */
export class Problems {
  readonly #now: () => number;
  readonly #onChange: (change: 'begins' | 'ends', problem: Problem) => void;
  readonly #redact: Redact;
  readonly #open = new Map<string, Problem>();

  /** `redact` is applied to messages and hints: they go to the log and the status. */
  constructor(options: {
    now: () => number;
    onChange: (change: 'begins' | 'ends', problem: Problem) => void;
    redact: Redact;
  }) {
    this.#now = options.now;
    this.#redact = options.redact;
    this.#onChange = options.onChange;
  }

  /** A new message for the same code replaces the problem, and is reported again. */
  begin(code: ProblemCode, rawMessage: string, rawHint: string | null = null): void {
    const message = this.#redact(rawMessage);
    const hint = rawHint === null ? null : this.#redact(rawHint);
    const known = this.#open.get(code);
    if (known?.message === message) return;
    const problem = { code, message, hint, since: known?.since ?? new Date(this.#now()).toISOString() };
    this.#open.set(code, problem);
    this.#onChange('begins', problem);
  }

  end(code: ProblemCode): void {
    const problem = this.#open.get(code);
    if (problem === undefined) return;
    this.#open.delete(code);
    this.#onChange('ends', problem);
  }

  /** Begins the problem, or ends it if `message` is null. */
  set(code: ProblemCode, message: string | null, hint: string | null = null): void {
    if (message === null) this.end(code);
    else this.begin(code, message, hint);
  }

  list(): Problem[] {
    return [...this.#open.values()];
  }
}
