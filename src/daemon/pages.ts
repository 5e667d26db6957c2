import { GitError } from '../git/exec/error.ts';
import type { Revision } from '../git/read/revision.ts';

/** Read at once. */
const pageSize = 500;

/** Contents of revisions, read some at a time in the order in which they are asked for. */
export class Pages {
  readonly #read: (versions: readonly string[]) => Promise<Revision[]>;
  /** What was read and is still to be asked for: 64 MiB at most, and the newest revision. */
  #page = new Map<string, Revision>();

  /** `read`: as many of the first as fit into memory, at least one. */
  constructor(read: (versions: readonly string[]) => Promise<Revision[]>) {
    this.#read = read;
  }

  /** These are at hand, instead of what was. */
  put(revisions: readonly Revision[]): void {
    this.#page = new Map(revisions.map((revision) => [revision.version, revision]));
  }

  /** A revision; `next` are those that will be asked for after it. Rejects with GitError. */
  async get(version: string, next: readonly string[]): Promise<Revision> {
    if (!this.#page.has(version)) this.put(await this.#read([version, ...next.slice(0, pageSize - 1)]));
    const revision = this.#page.get(version);
    if (revision === undefined) throw new GitError('object-missing', `commit ${version} can't be read`);
    this.#page.delete(version);
    return revision;
  }
}
