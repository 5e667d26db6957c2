/** The first wait, and the longest that it grows to. */
export interface Backoff {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** How long to wait after so many failures in a row (1 or more): the first wait, doubled with each. */
export function backoffMs(failures: number, { firstMs, longestMs }: Backoff): number {
  return Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 30));
}

/** Counts failures in a row, and says which to report: each once, until it is another one. */
export class Failures {
  readonly #from: number;
  #count = 0;
  #reported: string | null = null;

  /** `from`: the first in a row that is reported; 2 where a single one may pass by itself. */
  constructor(from = 1) {
    this.#from = from;
  }

  get count(): number {
    return this.#count;
  }

  /** Whether to report this one. */
  add(error: Error & { readonly code?: string }): boolean {
    this.#count += 1;
    const words = [error.code, error.message].join(' ');
    if (this.#count < this.#from || words === this.#reported) return false;
    this.#reported = words;
    return true;
  }

  /** Whether to report that they are over. */
  end(): boolean {
    const wasReported = this.#reported !== null;
    this.#count = 0;
    this.#reported = null;
    return wasReported;
  }
}
