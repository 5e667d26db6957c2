import type { Version } from '../../ids.ts';
import { GitError, isGitError, type GitErrorCode } from '../exec/git-error.ts';
import { backoffMs, Failures } from '../../failures.ts';
import { createMailbox } from '../../mailbox.ts';
import { Mirror } from '../mirror/mirror.ts';
import type { GitRepository } from '../read/repository.ts';
import type { Revision } from '../read/revision.ts';
import { Source, type SourceEvent, type SourceOptions } from './source.ts';
import type { Secrets } from '../../secrets.ts';
import type { Remote } from '../mirror/transport.ts';

/** What to follow of a remote, and how often to fetch. */
export interface RemoteSourceOptions extends Pick<SourceOptions, 'file' | 'since' | 'onRewrite' | 'known' | 'onEvent'> {
  /** The mirror's own directory: it may be removed and made again. */
  readonly directory: string;
  readonly remote: Remote & { readonly pollMs: number; readonly jitter: number };
  readonly maxFetchBytes?: number;
  readonly secrets?: Secrets;
}

/** A fetch may fail like this because the mirror is damaged or gone: verify it before the next. */
const mayBeDamage: ReadonlySet<GitErrorCode> = new Set([
  'git-failed',
  'mirror-unwritable',
  'not-a-repository',
  'remote-garbage',
]);

/** What reading a damaged mirror fails with; other errors don't come from the mirror. */
const isDamage: ReadonlySet<GitErrorCode> = new Set(['git-failed', 'not-a-repository', 'object-missing', 'ref-broken']);

/** Follows one file on one ref of a remote repository through a mirror. Used like {@link Source}. */
export class RemoteSource {
  readonly mirror: Mirror;
  readonly #options: RemoteSourceOptions;
  readonly #local: Source;
  readonly #syncs = createMailbox(() => this.#sync(), 100);
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #prepared = false;
  /** Something in the mirror could not be read: verify it before the next fetch. */
  #suspect = false;
  readonly #failures = new Failures();
  #fetchedAt: number | null = null;

  /** Throws GitError `bad-ref` or `bad-url`. */
  constructor(options: RemoteSourceOptions) {
    this.#options = options;
    const { directory, remote, maxFetchBytes, secrets } = options;
    this.mirror = new Mirror({ directory, remote, maxFetchBytes, secrets });
    const { file, since, onRewrite, known } = options;
    this.#local = new Source({
      path: directory,
      ref: this.mirror.ref,
      file,
      since,
      onRewrite,
      ...(known && { known }),
      pollMs: null,
      onEvent: (event) => this.#pass(event),
    });
  }

  /** The mirror as a repository, once it could be opened. */
  get repository(): GitRepository | null {
    return this.#local.repository;
  }

  /** When the last fetch succeeded, milliseconds since the epoch. */
  get fetchedAt(): number | null {
    return this.#fetchedAt;
  }

  /** Fetches now (webhook, SIGHUP, `shardplane sync`); resolves when the result was handled, or the fetch failed. */
  check(): Promise<void> {
    return this.#syncs.now();
  }

  /** Requests a fetch soon: any number of requests become one fetch or, while one runs, one more. */
  post(): void {
    this.#syncs.post();
  }

  /** As {@link Source.resume}. */
  resume(tip: string | null): void {
    this.#local.resume(tip);
  }

  /** As {@link Source.accept}. */
  accept(tip: string): boolean {
    return this.#local.accept(tip);
  }

  /** As {@link Source.older}. */
  older(tip: string, page: { skip: number; limit: number }): Promise<Revision[]> {
    return this.#whole(this.#local.older(tip, page));
  }

  /** As {@link Source.read}. */
  read(versions: readonly Version[]): Promise<Revision[]> {
    return this.#whole(this.#local.read(versions));
  }

  /** Aborts a running fetch; resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#syncs.close();
    await this.#local.close();
  }

  async #sync(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      await this.#prepare();
      await this.mirror.fetch(this.#stop.signal);
      this.#fetchedAt = Date.now();
      await this.#local.check();
      if (this.#suspect) throw this.#damaged();
      if (this.#failures.end()) await this.#options.onEvent({ type: 'recovered', part: 'remote' });
    } catch (error) {
      if (!isGitError(error)) throw error;
      // a remote that answers garbage all day is no reason to verify the mirror more than once
      if (mayBeDamage.has(error.code) && (this.#failures.count === 0 || error.code !== 'remote-garbage'))
        this.#suspect = true;
      if (!this.#stop.signal.aborted && this.#failures.add(error))
        await this.#options.onEvent({ type: 'failed', part: 'remote', error });
    }
    if (this.#stop.signal.aborted) return;
    const { pollMs, jitter } = this.#options.remote;
    const waitMs = nextWaitMs({ pollMs, jitter, failures: this.#failures.count, random: Math.random() });
    this.#timer = setTimeout(() => this.#syncs.post(), waitMs);
  }

  /** Reports what the mirror holds already before the first fetch: the remote may be down for long. */
  async #prepare(): Promise<void> {
    if (this.#prepared && !this.#suspect) return;
    const done = await this.mirror.prepare({ suspect: this.#suspect, signal: this.#stop.signal });
    this.#suspect = false;
    if (done.made === 'anew') await this.#options.onEvent({ type: 'mirror-rebuilt', reason: done.reason });
    if (!this.#prepared && done.made === 'nothing' && (await this.mirror.isFilled())) await this.#local.check();
    this.#prepared = true;
  }

  async #pass(event: SourceEvent): Promise<void> {
    if (event.type === 'moved' && event.newest !== null) this.#refuseHoles([event.newest]);
    if (event.type === 'failed' && isDamage.has(event.error.code)) this.#suspect = true;
    await this.#options.onEvent(event);
  }

  async #whole(read: Promise<Revision[]>): Promise<Revision[]> {
    const revisions = await read;
    this.#refuseHoles(revisions);
    return revisions;
  }

  /** A fetch brings whole commits, so a missing blob is damage of the mirror, and no fault of the commit. */
  #refuseHoles(revisions: readonly Revision[]): void {
    const hole = revisions.find(({ content }) => 'fault' in content && content.fault.code === 'object-missing');
    if (hole === undefined) return;
    this.#suspect = true;
    throw this.#damaged();
  }

  #damaged(): GitError {
    return new GitError(
      'object-missing',
      `the mirror ${this.mirror.path} is damaged`,
      'it is verified and rebuilt automatically',
    );
  }
}

/** What the wait before the next fetch depends on. */
interface Pace {
  readonly pollMs: number;
  /** Share of the wait that is random, 0 to 1: the wait is multiplied by `1 - jitter/2` to `1 + jitter/2`. */
  readonly jitter: number;
  /** Failures in a row. */
  readonly failures: number;
  /** 0 up to 1. */
  readonly random: number;
}

const longestMs = 5 * 60_000;

/** How long to wait: the poll interval; after failures 1 s (or the interval, if shorter), doubled each time up to 5 min. */
export function nextWaitMs({ pollMs, jitter, failures, random }: Pace): number {
  const backoff = { firstMs: Math.min(1000, pollMs), longestMs: Math.max(pollMs, longestMs) };
  const measure = failures === 0 ? pollMs : backoffMs(failures, backoff);
  return Math.round(measure * (1 - jitter / 2 + jitter * random));
}
