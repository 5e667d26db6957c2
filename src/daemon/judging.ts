import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { GitError, isGitError } from '../git/exec/error.ts';
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
  /** A revision was judged; told before what follows from it. */
  readonly onJudged: (revision: Revision, judged: Judged, effect: Extract<Work, { type: 'judge' }>) => void;
  readonly put: (event: RevisionEvent) => void;
  /** Somebody may wait for what can't be said now. */
  readonly onStuck: () => void;
}

/** Older revisions are judged for so long before the event loop has its turn: what they came to is written together. */
const sliceMs = 10;
/** How long to wait after a first failure of git, which may be a moment of a repack, and after each other. */
const retryMs = [200, 5_000] as const;

/** Judges the revisions that the machine asks for, one at a time, and looks through the history. What git can't tell now is asked again. */
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

  /** Git has failed more than once, and is left alone for a while: nobody waits for what it will say. */
  get isStuck(): boolean {
    return this.#isStuck;
  }

  /** This one is at hand: it need not be read. */
  have(revision: Revision): void {
    this.#pages.put([revision]);
  }

  begin(effect: Work): void {
    if (this.#isClosed) return;
    const work = this.#carryOut(effect).finally(() => this.#running.delete(work));
    this.#running.add(work);
  }

  /** What has just come doesn't wait for what failed. */
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
    // What follows from the newest is pushed, and written, before anything older is looked at.
    if (standing.isHead) this.#sliceEnd = 0;
    this.#options.onJudged(revision, judged, effect);
    this.#options.put({ type: 'judged', version, verdict: judged.verdict });
  }

  /** False: all ends. */
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

  /** Fails closed: what can't be read, or whose signature can't be checked now, is not released. What comes meanwhile goes first. */
  async #tryAgain(effect: Work, error: GitError): Promise<void> {
    const { problems, onStuck, put } = this.#options;
    this.#failures += 1;
    this.#isStuck = this.#failures > 1;
    const what = effect.type === 'judge' ? `commit ${short(effect.version)} can't be judged` : lookBackFails;
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

/** A fault of ours on one commit ends neither the process nor the commits after it. */
function toGitError(error: unknown): never {
  if (isGitError(error)) throw error;
  const words = error instanceof Error ? error.message : String(error);
  throw new GitError('git-failed', `a fault of shardplane (${words})`, 'please report it; a newer commit goes first');
}

const lookBackFails = "the history can't be looked through for a release to go back to";
