import { GitError } from '../git/error.ts';
import type { Problems } from './problems.ts';

/** After git could not be read, the next try comes this much later. */
const retryMs = 5_000;

export interface LookBackOptions {
  /** Offers the newest revision of the history that may be pushed. False: git has none. Rejects with GitError. */
  readonly search: () => Promise<boolean>;
  /** There is nothing to serve. */
  readonly isNeeded: () => boolean;
  /** Git has nothing to serve either. */
  readonly onNothing: () => void;
  readonly problems: Problems;
}

/** What was refused had nothing to fall back to: git's history is asked, until it answers. */
export class LookBack {
  readonly #options: LookBackOptions;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: LookBackOptions) {
    this.#options = options;
  }

  begin(): void {
    this.close();
    void this.#run();
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #run(): Promise<void> {
    const { search, isNeeded, onNothing, problems } = this.#options;
    if (!isNeeded()) {
      problems.end('look-back');
      return;
    }
    try {
      const isFound = await search();
      problems.end('look-back');
      if (!isFound && isNeeded()) onNothing();
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      const words = `the history can't be looked through for a release to go back to: ${error.message}`;
      problems.begin('look-back', words, 'Envoys keep what they have; it is tried again each 5 s');
      this.#timer = setTimeout(() => void this.#run(), retryMs).unref();
    }
  }
}
