import { GitError } from '../git/error.ts';
import type { Revision } from '../git/revision.ts';
import type { Problems } from './problems.ts';

/** After git could not be read, the next try comes this much later. */
const retryMs = 5_000;

export interface LookBackOptions {
  /** Offers the newest revision of the history that may be pushed. False: git has none. Rejects with GitError. */
  readonly search: () => Promise<boolean>;
  /** There is nothing to serve. */
  readonly isNeeded: () => boolean;
  /** Git has nothing to serve either. */
  readonly onNothing: () => unknown;
  readonly problems: Problems;
}

/** There is nothing to serve, since the newest commits are invalid or refused: git's history is asked, until it answers. */
export class LookBack {
  readonly #options: LookBackOptions;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;

  constructor(options: LookBackOptions) {
    this.#options = options;
  }

  /** Resolves when git has answered, or could not be read: then it is tried again. */
  begin(): Promise<void> {
    this.close();
    this.#running ??= this.#run().finally(() => (this.#running = null));
    return this.#running;
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
      let isFound = await search();
      while (isFound && isNeeded()) isFound = await search(); // refused already
      problems.end('look-back');
      if (!isFound && isNeeded()) onNothing();
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      const words = `the history can't be looked through for a release to go back to: ${error.message}`;
      problems.begin('look-back', words, 'Envoys keep what they have; it is tried again each 5 s');
      this.#timer = setTimeout(() => void this.begin(), retryMs).unref();
    }
  }
}

/** How far back. */
const maxRevisions = 1_000;
const pageSize = 20;

export interface History {
  readonly older: (tip: string, page: { skip: number; limit: number }) => Promise<Revision[]>;
  readonly isNeeded: () => boolean;
  /** Offers a revision, if it may be. */
  readonly offer: (revision: Revision) => Promise<boolean>;
}

/** Offers the newest revision in the history of a tip that may be. False: there is none. Throws GitError. */
export async function searchHistory(tip: string, { older, isNeeded, offer }: History): Promise<boolean> {
  for (let skip = 0; skip < maxRevisions && isNeeded(); skip += pageSize) {
    const page = await older(tip, { skip, limit: pageSize });
    for (const revision of page) if (await offer(revision)) return true;
    if (page.length < pageSize) break;
  }
  return !isNeeded();
}
