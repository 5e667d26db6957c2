import { isGitError, type GitError } from '../exec/git-error.ts';
import { backoffMs, Failures, type Backoff } from '../../failures.ts';
import { createMailbox } from '../../mailbox.ts';
import type { Mirror } from '../mirror/mirror.ts';
import { setNewest } from '../../newest.ts';
import { notesRef, writeNotes } from './notes.ts';
import type { GitRepository } from '../read/repository.ts';

export interface NoteWriterOptions {
  /** Where to write notes; while it returns null (not open yet), they wait. */
  readonly repository: () => Pick<GitRepository, 'gitDir'> | null;
  /** Also push them to this mirror's remote; null: keep them local. */
  readonly pushBy: Mirror | null;
  /** Called with an error when writing fails, and with null when it works again. */
  readonly onProblem: (error: GitError | null) => void;
  /** How long to collect notes for one commit; 250 ms by default. */
  readonly settleMs?: number;
}

/** How many notes may wait to be written: beyond that the oldest are dropped. */
const maxWaiting = 10_000;
const retry: Backoff = { firstMs: 1_000, longestMs: 300_000 };

/** Writes the outcomes of revisions as git notes: in the background, in batches, with retries. */
export class NoteWriter {
  readonly #options: NoteWriterOptions;
  readonly #waiting = new Map<string, string>();
  readonly #flushes: ReturnType<typeof createMailbox>;
  readonly #stop = new AbortController();
  /** A single failure may be due to a lock, or to a repository that is not open yet. */
  readonly #failures = new Failures(2);
  #retry: NodeJS.Timeout | undefined;

  constructor(options: NoteWriterOptions) {
    this.#options = options;
    this.#flushes = createMailbox(() => this.#flush(), options.settleMs ?? 250);
  }

  /** Sets the note of a commit. Returns at once. */
  set(version: string, text: string): void {
    setNewest(this.#waiting, version, text, maxWaiting);
    if (this.#failures.count === 0) this.#flushes.post();
  }

  /** Writes the waiting notes now; resolves when that was tried. */
  flush(): Promise<void> {
    return this.#flushes.now();
  }

  /** Writes the waiting notes (without pushing), and stops. */
  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#retry);
    await this.#flushes.now();
    await this.#flushes.close();
  }

  async #flush(): Promise<void> {
    const repository = this.#options.repository();
    const batch = new Map(this.#waiting);
    if (batch.size === 0) return;
    try {
      if (repository === null) throw new Error('not open yet');
      await this.#write(repository, batch);
      for (const [version, text] of batch) if (this.#waiting.get(version) === text) this.#waiting.delete(version);
      if (this.#failures.end()) this.#options.onProblem(null);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #write(repository: Pick<GitRepository, 'gitDir'>, batch: ReadonlyMap<string, string>): Promise<void> {
    const { pushBy } = this.#options;
    if (pushBy === null || this.#stop.signal.aborted) {
      await writeNotes(repository, batch);
      return;
    }
    for (let attempt = 1; ; attempt += 1) {
      // on top of the remote's notes: others may write there, too
      await pushBy.fetchRef(notesRef, this.#stop.signal);
      await writeNotes(repository, batch);
      try {
        await pushBy.push(notesRef, this.#stop.signal);
        return;
      } catch (error) {
        if (!isGitError(error, 'remote-moved') || attempt === 3) throw error;
      }
    }
  }

  #fail(error: unknown): void {
    if (this.#failures.add(error as Error) && isGitError(error)) this.#options.onProblem(error);
    if (this.#stop.signal.aborted) return;
    this.#retry = setTimeout(() => this.#flushes.post(), backoffMs(this.#failures.count, retry));
  }
}
