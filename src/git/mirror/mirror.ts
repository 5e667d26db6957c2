import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GitError } from '../exec/git-error.ts';
import {
  clearLeftovers,
  dropOtherRefs,
  findDamage,
  incomingBytes,
  joinPacks,
  makeMirror,
  markOf,
} from './mirror-directory.ts';
import { checkRef } from '../exec/names.ts';
import { exists } from '../read/regular-file.ts';
import { explainRedirect } from './redirect.ts';
import { parseRemoteUrl } from './remote-url.ts';
import { GitExit, runGit, type RunOptions } from '../exec/run.ts';
import { Secrets } from '../../secrets.ts';
import { explainTransport, toTransport, type Remote, type Transport } from './transport.ts';

export interface MirrorOptions {
  /** The mirror's own directory: it is removed when it is damaged. */
  readonly directory: string;
  readonly remote: Remote;
  /** A fetch that brings more is killed; 1 GiB by default. */
  readonly maxFetchBytes?: number | undefined;
  /** Is taught the secrets that are used. */
  readonly secrets?: Secrets | undefined;
}

/** What `prepare` had to do: nothing, create the mirror, or rebuild it since it was damaged. */
export type Preparation = { readonly made: 'nothing' | 'new' } | { readonly made: 'anew'; readonly reason: string };

/**
 * A bare repository of the daemon's own with one ref of a remote. A fetch that is interrupted leaves a mark, so that the
 * next start verifies the mirror.
 */
export class Mirror {
  readonly path: string;
  /** The full name of the ref in the mirror. */
  readonly ref: string;
  readonly #remote: Remote;
  readonly #maxFetchBytes: number;
  readonly #secrets: Secrets;
  /** One operation at a time: a fetch that is killed removes everything that is half written. */
  #last: Promise<unknown> = Promise.resolve();

  /** Throws GitError `bad-ref` or `bad-url`. */
  constructor({ directory, remote, maxFetchBytes = 1024 ** 3, secrets = new Secrets() }: MirrorOptions) {
    parseRemoteUrl(remote.url);
    this.path = directory;
    this.#secrets = secrets;
    this.#remote = remote;
    this.#maxFetchBytes = maxFetchBytes;
    const name = checkRef(remote.ref);
    this.ref = name === 'HEAD' ? 'refs/remotes/origin/HEAD' : name.startsWith('refs/') ? name : `refs/heads/${name}`;
  }

  /**
   * Creates the mirror, or checks it: with git fsck when the last fetch was interrupted, or when it seems to be damaged
   * (`suspect`). Throws GitError.
   */
  async prepare(options: { suspect?: boolean; signal?: AbortSignal } = {}): Promise<Preparation> {
    return await this.#alone(() => this.#prepare(options));
  }

  async #prepare({ suspect = false, signal }: { suspect?: boolean; signal?: AbortSignal }): Promise<Preparation> {
    if (!(await exists(join(this.path, 'HEAD')))) {
      await makeMirror(this.path, 'sha1');
      return { made: 'new' };
    }
    const unclean = await exists(markOf(this.path));
    if (unclean) await clearLeftovers(this.path);
    const fsckSkipList = this.#remote.fsckSkipList ?? null;
    const reason = await findDamage(this.path, { content: suspect, connectivity: unclean, fsckSkipList, signal });
    if (reason !== null) {
      await makeMirror(this.path, 'sha1');
      return { made: 'anew', reason };
    }
    await dropOtherRefs(this.path, this.ref);
    await rm(markOf(this.path), { force: true });
    return { made: 'nothing' };
  }

  /** Whether the mirror has the ref. */
  async isFilled(): Promise<boolean> {
    const args = ['show-ref', '--verify', '--quiet', this.ref];
    return (await runGit(args, { gitDir: this.path, answers: [0, 1, 128] })).exitCode === 0;
  }

  /**
   * Updates the ref to the remote's, whatever kind of move that is, or removes it. Throws GitError (`remote-*`,
   * `git-timeout`, ...), without secrets.
   */
  async fetch(signal?: AbortSignal): Promise<void> {
    await this.#alone(() => this.#fetchAnyFormat(signal));
  }

  /** Fetches one more ref (full name); one that the remote lacks is left as it is. Throws as {@link fetch}. */
  async fetchRef(ref: string, signal?: AbortSignal): Promise<void> {
    await this.#alone(() => this.#fetch({ from: checkRef(ref), to: ref }, signal));
  }

  /** Pushes a ref of the mirror. Throws `remote-moved` when that would drop what somebody else pushed. */
  async push(ref: string, signal?: AbortSignal): Promise<void> {
    const transport = await toTransport(this.#remote, this.#secrets);
    const args = ['push', '--quiet', '--no-verify', '--end-of-options', transport.url, `${checkRef(ref)}:${ref}`];
    await runGit(args, { gitDir: this.path, ...transport.run, ...(signal && { signal }) }).catch((error: unknown) => {
      throw explainTransport(error, transport);
    });
  }

  async #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return await turn.catch((error: unknown) => {
      throw this.#explain(error);
    });
  }

  /** The remote decides on the hash (SHA-1 or SHA-256): a mirror with the other one is empty, and is replaced. */
  async #fetchAnyFormat(signal?: AbortSignal): Promise<void> {
    const refs = { from: this.#remote.ref === 'HEAD' ? 'HEAD' : this.ref, to: this.ref };
    try {
      await this.#fetch(refs, signal);
    } catch (error) {
      const stderr = error instanceof GitExit ? error.stderr : '';
      const format = /mismatched algorithms: client \S+; server (sha1|sha256)/.exec(stderr)?.[1];
      if (format === undefined) throw error;
      await makeMirror(this.path, format === 'sha256' ? 'sha256' : 'sha1');
      await this.#fetch(refs, signal);
    }
  }

  async #fetch({ from, to }: { from: string; to: string }, signal?: AbortSignal): Promise<void> {
    const transport = await toTransport(this.#remote, this.#secrets);
    const quiet = [
      '--quiet',
      '--update-shallow',
      '--no-tags',
      '--no-recurse-submodules',
      '--no-write-fetch-head',
      '--no-auto-maintenance',
    ];
    const args = ['fetch', ...quiet, '--end-of-options', transport.url, `+${from}:${to}`];
    try {
      await this.#marked(args, transport.run, signal);
    } catch (error) {
      const stderr = error instanceof GitExit ? error.stderr : '';
      if (/mismatched algorithms/.test(stderr)) throw error;
      if (/returned error: 3\d\d/.test(stderr)) throw await explainRedirect(transport, signal);
      if (!/couldn't find remote ref/i.test(stderr)) throw explainTransport(error, transport);
      await this.#confirmGit(transport, signal);
      if (to === this.ref) await runGit(['update-ref', '-d', to], { gitDir: this.path });
    }
    await rm(markOf(this.path), { force: true });
    // failing here does not fail the fetch: the next one tries again
    await joinPacks(this.path, signal).catch(() => undefined);
  }

  /**
   * Over http git takes any short page (a login form) for a plain file server's list of refs, and doesn't find ours in it.
   * A ref is gone only when a server that speaks git's protocol says so.
   */
  async #confirmGit(transport: Transport, signal?: AbortSignal): Promise<void> {
    if (!transport.url.startsWith('http')) return;
    const { run, url } = transport;
    const options = {
      ...run,
      env: { ...run.env, GIT_TRACE_PACKET: '1' },
      gitDir: this.path,
      ...(signal && { signal }),
    };
    const { stderr } = await runGit(['ls-remote', '--quiet', '--end-of-options', url, 'HEAD'], options).catch(
      (error: unknown) => {
        throw explainTransport(error, transport);
      },
    );
    if (/ packet: /.test(stderr)) return;
    const words = `${transport.display}: the answer has no refs in it, and is not from a git server`;
    throw new GitError('remote-garbage', words, 'open the URL in a browser: is it a login page?');
  }

  /** Runs a fetch with the mark set, which only a fetch that completes removes; kills it when it brings too much. */
  async #marked(args: readonly string[], run: RunOptions, stop?: AbortSignal): Promise<void> {
    const tooMuch = new AbortController();
    const meter = setInterval(() => {
      void incomingBytes(this.path).then((bytes) => {
        if (bytes > this.#maxFetchBytes) tooMuch.abort();
      });
    }, 200);
    const onStart = (pid: number): void => {
      writeFileSync(markOf(this.path), String(pid));
    };
    try {
      const signal = AbortSignal.any([tooMuch.signal, ...(stop ? [stop] : [])]);
      await runGit(args, { ...run, gitDir: this.path, signal, onStart });
    } catch (error) {
      if (!(error instanceof GitExit)) await clearLeftovers(this.path); // it was killed
      if (!tooMuch.signal.aborted) throw error;
      const words = `the remote sent more than ${this.#maxFetchBytes} bytes at once`;
      throw new GitError('remote-too-large', words, 'is repository.remote.url the right repository?');
    } finally {
      clearInterval(meter);
    }
  }

  /** Turns errors of the disk into GitErrors. */
  #explain(error: unknown): unknown {
    if (!(error instanceof Error) || !('syscall' in error)) return error;
    const words = `the mirror ${this.path} can't be written: ${error.message}`;
    return new GitError('mirror-unwritable', words, 'is state.directory writable, and the disk not full?');
  }
}
