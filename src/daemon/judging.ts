import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { GitError, isGitError } from '../git/exec/git-error.ts';
import type { RemoteSource } from '../git/follow/remote-source.ts';
import type { Source } from '../git/follow/source.ts';
import type { Revision } from '../git/read/revision.ts';
import { short } from '../release/short.ts';
import type { RevisionEffect, RevisionEvent } from '../revisions/types.ts';
import type { Intake, Judged } from './intake.ts';
import { Pages } from './pages.ts';
import type { Problems } from './problems.ts';

type Work = Extract<RevisionEffect, { type: 'judge' | 'list' }>;

export interface JudgingOptions {
  readonly source: Pick<Source | RemoteSource, 'read' | 'older'>;
  readonly intake: Pick<Intake, 'judge'>;
  readonly problems: Pick<Problems, 'begin' | 'end'>;
  /** Called before the verdict is put into the inbox. */
  readonly onJudged: (revision: Revision, judged: Judged, effect: Extract<Work, { type: 'judge' }>) => void;
  readonly put: (event: RevisionEvent) => void;
  /** Called when git fails, since callers may be waiting for a verdict. */
  readonly onStuck: () => void;
}

/** How long older revisions are judged before the event loop gets a turn: the results are written together. */
const sliceMs = 10;
/** The delay after a first failure of git, which a repack can cause for a moment, and after each further one. */
const retryMs = [200, 5_000] as const;

/** Carries out `judge` and `list` effects, and retries when git fails. */
export class Judging {
  readonly #options: JudgingOptions;
  readonly #pages: Pages;
  readonly #running = new Set<Promise<void>>();
  #failures = 0;
  #rest = new AbortController();
  #sliceEnd = 0;
  #isStuck = false;
  #isClosed = false;

  constructor(options: JudgingOptions) {
    this.#options = options;
    this.#pages = new Pages((versions) => options.source.read(versions));
  }

  /** Git has failed more than once and will be retried later: callers should stop waiting. */
  get isStuck(): boolean {
    return this.#isStuck;
  }

  /** Keeps a revision that was read already. */
  have(revision: Revision): void {
    this.#pages.put([revision]);
  }

  begin(effect: Work): void {
    if (this.#isClosed) return;
    const work = this.#carryOut(effect).finally(() => this.#running.delete(work));
    this.#running.add(work);
  }

  /** Ends the delay after a failure: something newer has come. */
  goOn(): void {
    if (this.#isClosed) return;
    this.#isStuck = false;
    this.#rest.abort();
    this.#rest = new AbortController();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#rest.abort();
    await Promise.all(this.#running);
  }

  async #carryOut(effect: Work): Promise<void> {
    try {
      await (effect.type === 'judge' ? this.#judge(effect) : this.#list(effect));
    } catch (error) {
      if (!isGitError(error)) throw error;
      await this.#tryAgain(effect, error);
    }
  }

  async #judge(effect: Extract<Work, { type: 'judge' }>): Promise<void> {
    const { version, next, standing } = effect;
    if (!standing.isHead && !(await this.#breathe())) return;
    const revision = await this.#pages.get(version, next);
    const judged = await this.#options.intake.judge(revision, standing).catch(toGitError);
    this.#end();
    if (this.#isClosed) return;
    // Lets the result for the head be pushed and written before any older revision is judged.
    if (standing.isHead) this.#sliceEnd = 0;
    this.#options.onJudged(revision, judged, effect);
    this.#options.put({ type: 'judged', version, verdict: judged.verdict });
  }

  /** Gives the event loop a turn if it is due. False at shutdown. */
  async #breathe(): Promise<boolean> {
    if (performance.now() >= this.#sliceEnd) {
      await turn();
      this.#sliceEnd = performance.now() + sliceMs;
    }
    return !this.#isClosed;
  }

  async #list({ tip, skip, limit }: Extract<Work, { type: 'list' }>): Promise<void> {
    const revisions = await this.#options.source.older(tip, { skip, limit });
    this.#end();
    if (this.#isClosed) return;
    this.#pages.put(revisions);
    this.#options.put({ type: 'listed', tip, skip, revisions });
  }

  /** Fails closed: a revision that can't be read or verified now is not released. */
  async #tryAgain(effect: Work, error: GitError): Promise<void> {
    const { problems, onStuck, put } = this.#options;
    this.#failures += 1;
    this.#isStuck = this.#failures > 1;
    const what = effect.type === 'judge' ? `commit ${short(effect.version)} can't be judged` : cannotLookBack;
    const code = effect.type === 'judge' ? 'backlog' : 'look-back';
    if (this.#isStuck) problems.begin(code, `${what}: ${error.message}`, error.hint);
    onStuck();
    const { signal } = this.#rest;
    await sleep(retryMs[this.#isStuck ? 1 : 0], undefined, { signal, ref: false }).catch(() => undefined);
    this.#isStuck = false;
    if (this.#isClosed) return;
    put(effect.type === 'judge' ? { type: 'unjudged', version: effect.version } : { type: 'unlisted' });
  }

  #end(): void {
    if (this.#failures > 1) for (const code of ['backlog', 'look-back'] as const) this.#options.problems.end(code);
    this.#failures = 0;
  }
}

/** An internal error on one commit must not end the process, nor hold up later commits. */
function toGitError(error: unknown): never {
  if (isGitError(error)) throw error;
  const words = error instanceof Error ? error.message : String(error);
  throw new GitError(
    'git-failed',
    `an internal error of shardplane (${words})`,
    'please report it; a newer commit goes first',
  );
}

const cannotLookBack = "the history can't be searched for a release to fall back to";
