import type { Diagnostic } from '../config/diagnostic.ts';
import { listVersions } from '../git/read/commits.ts';
import { GitError } from '../git/exec/git-error.ts';
import { isAncestor } from '../git/read/relation.ts';
import type { GitRepository } from '../git/read/repository.ts';
import { verifyCommit, type VerifyOptions } from '../git/signature/verify.ts';
import { short } from '../release/short.ts';
import type { Standing } from '../revisions/types.ts';

export interface SignaturesOptions {
  readonly mode: 'none' | 'head' | 'all';
  readonly keys: VerifyOptions;
  readonly file: string;
  readonly repository: () => GitRepository | null;
  readonly liveVersion: () => string | null;
}

/** The most commits since the live release whose signatures are checked. */
const maxCommits = 10_000;

/** Checks whether `repository.verify` lets a revision go live: other commits' signatures count, too. */
export class Signatures {
  readonly #options: SignaturesOptions;
  /** Commits verified since the last head. */
  readonly #good = new Set<string>();

  constructor(options: SignaturesOptions) {
    this.#options = options;
  }

  /**
   * Null if it may. Throws GitError when that can't be checked (no keys, no repository): then nothing may go live, and the caller
   * retries.
   */
  async check(version: string, standing: Standing): Promise<Diagnostic | null> {
    const { mode, repository } = this.#options;
    const { isOvertaken } = standing;
    if (mode === 'none' || (mode === 'head' && isOvertaken)) return null;
    const opened = repository();
    if (opened === null) throw new GitError('not-a-repository', 'the repository is not open');
    if (isOvertaken) return this.#good.has(version) ? null : await this.#verify(opened, version);
    this.#good.clear();
    return (
      (await this.#verify(opened, version)) ??
      (await this.#checkStanding(opened, version, standing)) ??
      (mode === 'all' ? await this.#checkSinceLive(opened, version) : null)
    );
  }

  async #verify(repository: GitRepository, version: string): Promise<Diagnostic | null> {
    const { file, keys, mode } = this.#options;
    const fault = await verifyCommit(repository, { version, file }, keys);
    if (fault === null) this.#good.add(version);
    // for `head` a signed commit on top is enough; for `all` it is not
    return fault !== null && mode === 'all' ? { ...fault, hint: signAnew } : fault;
  }

  /**
   * A merge, or a commit that leaves the file alone, decides which revision counts: so the commit that the ref names must be signed,
   * too. A revision below the head must be a descendant of the tip taken before.
   */
  async #checkStanding(
    repository: GitRepository,
    version: string,
    { isHead, tip, previous }: Standing,
  ): Promise<Diagnostic | null> {
    const { liveVersion } = this.#options;
    if (isHead) {
      const fault = tip === null || tip === version ? null : await this.#verify(repository, tip);
      if (fault === null) return null;
      const message = `${fault.message}; the ref names it, and it contains ${short(version)}`;
      return { ...fault, message, hint: 'add a signed commit on top of it' };
    }
    if (previous === null || liveVersion() === null || (await isAncestor(repository, previous, version))) return null;
    const words = `commit ${short(version)} is signed, but the choice of it is not: it is not on top of ${short(previous)}`;
    return { ...this.#place('signature-missing'), message: words, hint: 'add a signed commit on top of both' };
  }

  /** A signed commit on top of an unsigned change contains that change. */
  async #checkSinceLive(repository: GitRepository, version: string): Promise<Diagnostic | null> {
    const live = this.#options.liveVersion();
    if (live === null || !(await isAncestor(repository, live, version))) return null;
    const range = { tip: version, file: this.#options.file, exclude: live, limit: maxCommits + 1 };
    const commits = await listVersions(repository, range);
    if (commits.length > maxCommits) return this.#tooMany(live);
    for (const commit of commits.slice(1)) {
      const fault = await this.#verify(repository, commit);
      if (fault === null) continue;
      const message = `${fault.message}, and ${short(version)} is on top of it`;
      return { ...fault, message };
    }
    return null;
  }

  #tooMany(live: string): Diagnostic {
    const message = `more than ${maxCommits} commits since ${short(live)}, the live release, change the file: too many to check their signatures`;
    return { ...this.#place('signature-missing'), message, hint: 'set repository.verify.mode: head until it is live' };
  }

  #place(code: 'signature-missing'): Omit<Diagnostic, 'message' | 'hint'> {
    return { code, file: this.#options.file, line: 1, column: 1 };
  }
}

const signAnew =
  'sign it, with a key that repository.verify knows, and what is on top of it (git rebase); once it is pushed, shardplane accept what was rewritten, or set repository.verify.mode: head until it is live';
