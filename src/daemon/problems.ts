import type { Problem } from '../http/api.ts';
import type { Redact } from '../secrets.ts';

/** All that can fail for a while: `code` in status, log and metrics. docs/operating.md lists them. */
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
] as const;
export type ProblemCode = (typeof problemCodes)[number];

/** What fails now, by code. Each is said once when it begins, and once when it is over. */
export class Problems {
  readonly #now: () => number;
  readonly #say: (change: 'begins' | 'ends', problem: Problem) => void;
  readonly #redact: Redact;
  readonly #open = new Map<string, Problem>();

  /** `redact` goes over all words, since they are the log's, the status' and the metrics'. */
  constructor(options: {
    now: () => number;
    say: (change: 'begins' | 'ends', problem: Problem) => void;
    redact: Redact;
  }) {
    this.#now = options.now;
    this.#redact = options.redact;
    this.#say = options.say;
  }

  /** The same code with other words replaces the problem, and is said again. */
  begin(code: ProblemCode, words: string, advice: string | null = null): void {
    const message = this.#redact(words);
    const hint = advice === null ? null : this.#redact(advice);
    const known = this.#open.get(code);
    if (known?.message === message) return;
    const problem = { code, message, hint, since: known?.since ?? new Date(this.#now()).toISOString() };
    this.#open.set(code, problem);
    this.#say('begins', problem);
  }

  end(code: ProblemCode): void {
    const problem = this.#open.get(code);
    if (problem === undefined) return;
    this.#open.delete(code);
    this.#say('ends', problem);
  }

  /** Begins the problem while there are words for it, ends it when there are none. */
  set(code: ProblemCode, message: string | null, hint: string | null = null): void {
    if (message === null) this.end(code);
    else this.begin(code, message, hint);
  }

  list(): Problem[] {
    return [...this.#open.values()];
  }
}
