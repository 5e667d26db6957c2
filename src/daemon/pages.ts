import { GitError } from '../git/exec/git-error.ts';
import type { Revision } from '../git/read/revision.ts';
import type { Version } from '../ids.ts';

const pageSize = 500;

/** Reads revisions in pages, ahead of when they are asked for. */
export class Pages {
  readonly #read: (versions: readonly Version[]) => Promise<Revision[]>;
  /** Read and not asked for yet: 64 MiB at most, plus the newest revision. */
  #page = new Map<string, Revision>();

  /** `read` returns as many of the first as fit into memory, at least one. */
  constructor(read: (versions: readonly Version[]) => Promise<Revision[]>) {
    this.#read = read;
  }

  /** Replaces the page. */
  put(revisions: readonly Revision[]): void {
    this.#page = new Map(revisions.map((revision) => [revision.version, revision]));
  }

  /** A revision; `next` are those that will be asked for after it. Rejects with GitError. */
  async get(version: Version, next: readonly Version[]): Promise<Revision> {
    if (!this.#page.has(version)) this.put(await this.#read([version, ...next.slice(0, pageSize - 1)]));
    const revision = this.#page.get(version);
    if (revision === undefined) throw new GitError('object-missing', `commit ${version} can't be read`);
    this.#page.delete(version);
    return revision;
  }
}
