import type { Version } from '../../ids.ts';
import { listVersions } from '../read/commits.ts';
import { isGitError, type GitError, type GitErrorCode } from '../exec/git-error.ts';
import { lookAtRef, type Look } from '../read/look.ts';
import { backoffMs, Failures } from '../../failures.ts';
import { createMailbox } from '../../mailbox.ts';
import type { OnRewrite } from '../../revisions/movement.ts';
import type { RefMoved } from '../../revisions/types.ts';
import { openRepository, type GitRepository } from '../read/repository.ts';
import type { Revision } from '../read/revision.ts';
import { readRevisions, readSummaries } from '../read/revisions.ts';
import { watchRepository, type Watch } from './watch-repository.ts';
import { workingFileState, type WorkingFile } from './working-file.ts';

/** The ref points to another commit than at the last look (or this is the first look, which brings only the newest revision). */
export interface Moved extends RefMoved {
  readonly newest: Revision | null;
}

/** Final outcomes by version. */
export type Outcomes = RefMoved['outcomes'];

/** What failed: the local repository (or the mirror), or the remote. */
export type SourcePart = 'repository' | 'remote';

/** What a source emits. Each event is handled (awaited) before the next. */
export type SourceEvent =
  | Moved
  /** The saved file differs from the committed one (or is `same` again). */
  | { readonly type: 'working-file'; readonly state: WorkingFile }
  /** The ref can't be read; what was taken stays. Reported once per reason, and retried. */
  | { readonly type: 'failed'; readonly part: SourcePart; readonly error: GitError }
  | { readonly type: 'recovered'; readonly part: SourcePart }
  /** The mirror of a remote was damaged, and was rebuilt. */
  | { readonly type: 'mirror-rebuilt'; readonly reason: string }
  /** Watching failed: changes are seen by polling alone. */
  | { readonly type: 'unwatched'; readonly error: Error }
  /** Watching works again. */
  | { readonly type: 'watched' };

/** What to follow, and from where. */
export interface SourceOptions {
  /** Any path in the repository. */
  readonly path: string;
  readonly ref: string;
  readonly file: string;
  /** The tip that was taken last before a restart, or null. */
  readonly since: string | null;
  readonly onRewrite: OnRewrite;
  /** How often to look even without a change; null: only look when asked, and watch nothing. */
  readonly pollMs: number | null;
  /** What has become of these before; must not reject. Default: nothing is known. */
  readonly known?: (versions: readonly Version[]) => Promise<Outcomes>;
  /** Must not reject. */
  readonly onEvent: (event: SourceEvent) => Promise<void> | void;
}

/** Follows one file on one ref of a local repository. Nothing happens before the first `check()` or poll. */
export class Source {
  readonly #options: SourceOptions;
  readonly #looks = createMailbox(() => this.#lookOrFail());
  readonly #savedFile = createMailbox(() => this.#compareSavedFile(), 150);
  readonly #poll: NodeJS.Timeout | undefined;
  #repository: GitRepository | null = null;
  #watch: Watch | null = null;
  #isUnwatched = false;
  /** Reopen the repository before the next look. */
  #stale = true;
  /** The tip taken last. */
  #base: string | null;
  #last: Look | null = null;
  /** The last `moved` event, which may still be being handled; `counts`: its tip is taken once it is. */
  #move: { readonly tip: string | null; counts: boolean } | null = null;
  #newest: Revision | null = null;
  #working: WorkingFile = 'same';
  /** A single failure may be due to a repack: it is reported only when the next look fails, too. */
  readonly #failures = new Failures(2);
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: SourceOptions) {
    this.#options = options;
    this.#base = options.since;
    if (options.pollMs === null) return;
    this.#poll = setInterval(() => {
      this.#stale = true;
      this.#looks.post();
      this.#savedFile.post();
    }, options.pollMs);
  }

  /** The repository, once it could be opened. */
  get repository(): GitRepository | null {
    return this.#repository;
  }

  /** Looks now; resolves when what it found was handled. */
  check(): Promise<void> {
    return this.#looks.now();
  }

  /** As `since`, where that could not be known at the start; once the ref was read, it is too late. */
  resume(tip: string | null): void {
    if (this.#last === null) this.#base ??= tip;
  }

  /** Counts a held tip as taken, even while its event is being handled. False when the ref has moved on. */
  accept(tip: string): boolean {
    if (this.#move?.tip !== tip) return false;
    this.#move.counts = true;
    if (this.#last?.tip === tip) this.#base = tip;
    return true;
  }

  /**
   * Revisions in the history of a tip, newest first, without the `skip` newest: `limit` of them, or fewer where the
   * history ends. Each may hold 16 MiB, so ask for few. Throws GitError.
   */
  async older(tip: string, { skip, limit }: { skip: number; limit: number }): Promise<Revision[]> {
    const repository = this.#repository ?? (await openRepository(this.#options.path));
    const { file } = this.#options;
    const versions = await listVersions(repository, { tip, file, exclude: null, skip, limit });
    const revisions: Revision[] = [];
    for await (const page of readRevisions(repository, file, versions)) revisions.push(...page);
    return revisions;
  }

  /** Reads revisions of an event, in the given order: the first ones up to 64 MiB, at least one. Throws GitError. */
  async read(versions: readonly Version[]): Promise<Revision[]> {
    const repository = this.#repository ?? (await openRepository(this.#options.path));
    for await (const page of readRevisions(repository, this.#options.file, versions)) return page;
    return [];
  }

  /** Stops watching and polling; resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#poll);
    clearTimeout(this.#retry);
    await this.#savedFile.close();
    await this.#looks.close();
    await this.#watch?.close();
  }

  async #lookOrFail(): Promise<void> {
    try {
      const repository = this.#stale || this.#repository === null ? await this.#open() : this.#repository;
      await this.#look(repository);
      if (this.#failures.end()) await this.#options.onEvent({ type: 'recovered', part: 'repository' });
    } catch (error) {
      if (!isGitError(error)) throw error;
      await this.#fail(error);
    }
  }

  async #open(): Promise<GitRepository> {
    const repository = await openRepository(this.#options.path);
    this.#repository = repository;
    this.#stale = false;
    if (this.#options.pollMs === null) return repository;
    if (this.#watch === null || !(await this.#watch.isCurrent(repository))) await this.#rewatch(repository);
    return repository;
  }

  async #rewatch(repository: GitRepository): Promise<void> {
    const { ref, file } = this.#options;
    await this.#watch?.close();
    this.#watch = await watchRepository({
      repository,
      ref,
      file,
      onCheck: () => this.#looks.post(),
      onWorkingFile: () => this.#savedFile.post(),
      onReady: () => this.#reportWatch(null),
      onError: (error) => this.#reportWatch(error),
    });
  }

  /** A failed watch is retried with each poll: each failure is reported, and once that it works again. */
  #reportWatch(error: Error | null): void {
    const { onEvent } = this.#options;
    if (error !== null) void onEvent({ type: 'unwatched', error });
    else if (this.#isUnwatched) void onEvent({ type: 'watched' });
    this.#isUnwatched = error !== null;
  }

  async #look(repository: GitRepository): Promise<void> {
    const { ref, file, onRewrite, onEvent, known = knowsNothing } = this.#options;
    const base = this.#base;
    const look = await lookAtRef(repository, { ref, file, onRewrite, base, last: this.#last });
    if (look === null) return;
    const { movement, decision, tip, newest } = look;
    const older = await readSummaries(repository, file, look.versions.slice(0, -1));
    const revisions = look.versions.length > 0 && newest !== null ? [...older, newest] : [];
    const outcomes = await known(newest === null ? [] : [...look.versions, newest.version]);
    if (this.#base !== base) {
      await this.#look(repository); // a tip was accepted meanwhile
      return;
    }
    const move = { tip, counts: decision === 'take' };
    this.#move = move;
    await onEvent({ type: 'moved', movement, decision, previous: base, tip, revisions, newest, outcomes });
    this.#last = look;
    this.#newest = newest;
    if (move.counts) this.#base = tip;
    if (repository.topLevel !== null) this.#savedFile.post();
  }

  async #compareSavedFile(): Promise<void> {
    await this.check(); // a checkout writes the file first, and the ref a moment later
    if (this.#closed || this.#repository === null || this.#last === null) return;
    const committed = this.#newest?.content ?? null;
    // a saved file that can't be read (EACCES) is no problem: only commits count
    const state = await workingFileState(this.#repository, this.#options.file, committed).catch(() => this.#working);
    if (isSameState(state, this.#working)) return;
    this.#working = state;
    await this.#options.onEvent({ type: 'working-file', state });
  }

  async #fail(error: GitError): Promise<void> {
    this.#stale = true;
    const isNew = this.#failures.add(error);
    if (this.#last?.tip === null && refIsThere.has(error.code)) this.#last = null; // its absence is over
    clearTimeout(this.#retry);
    if (this.#closed) return;
    const { pollMs } = this.#options;
    if (pollMs !== null) {
      const waitMs = backoffMs(this.#failures.count, { firstMs: 100, longestMs: Math.min(pollMs, 100_000) });
      this.#retry = setTimeout(() => this.#looks.post(), waitMs);
    }
    if (isNew) await this.#options.onEvent({ type: 'failed', part: 'repository', error });
  }
}

function knowsNothing(): Promise<Outcomes> {
  return Promise.resolve(new Map());
}

/** Errors that mean: the ref exists, but there is nothing to take. */
const refIsThere: ReadonlySet<GitErrorCode> = new Set(['bad-ref', 'ref-broken']);

function isSameState(a: WorkingFile, b: WorkingFile): boolean {
  if (a === 'same' || b === 'same') return a === b;
  if ('bytes' in a && 'bytes' in b) return a.bytes.equals(b.bytes);
  return 'fault' in a && 'fault' in b && a.fault.message === b.fault.message;
}
