import { join } from 'node:path';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { GitError, isGitError } from '../git/exec/error.ts';
import { RemoteSource } from '../git/follow/remote-source.ts';
import type { Revision } from '../git/read/revision.ts';
import { Source } from '../git/follow/source.ts';
import type { Moved, SourceEvent } from '../git/follow/source.ts';
import type { Status } from '../http/api.ts';
import type { Judge } from '../judge/judge.ts';
import { short } from '../release/short.ts';
import { countWaiting, createRevisions } from '../revisions/state.ts';
import type { Head, RevisionsMemory, RevisionsState } from '../revisions/state.ts';
import { step } from '../revisions/step.ts';
import type { RevisionEffect, RevisionEvent, RevisionFact, RolloutView, Standing } from '../revisions/types.ts';
import type { Outcome } from '../rollout/types.ts';
import type { Secrets } from '../secrets.ts';
import type { RepositorySettings } from '../settings/settings.ts';
import type { Fleet } from './fleet.ts';
import type { Intake, Judged } from './intake.ts';
import type { Journal } from './journal.ts';
import { problemsOf, sayTrouble } from './moves.ts';
import { Pages } from './pages.ts';
import type { Problems } from './problems.ts';
import { checkSaved } from './saved.ts';

export interface FollowOptions {
  readonly settings: RepositorySettings;
  readonly log: Logger;
  readonly judge: Judge;
  readonly problems: Problems;
  readonly intake: Pick<Intake, 'judge'>;
  readonly memory: RevisionsMemory;
  /** A remote's mirror is kept there. */
  readonly stateDirectory: string;
  /** Learns those of the remote. */
  readonly secrets: Secrets;
  readonly fleet: Pick<Fleet, 'live' | 'target' | 'isUndecided' | 'refusalOf' | 'release' | 'apply'>;
  /** The ledger. */
  readonly journal: Pick<Journal, 'add' | 'open'>;
  readonly onFact: (fact: RevisionFact) => void;
  /** The newest revision, before anything is decided about it. */
  readonly onNewest: (revision: Revision) => void;
  /** A revision was judged; told before what follows from it. */
  readonly onJudged: (revision: Revision, judged: Judged, standing: Standing) => void;
  /** No move brings this one any more. `before`: the final outcome that it had before it was held. */
  readonly onClosed: (version: string, before: Outcome | null) => void;
}

/** Older revisions are judged for so long before the event loop has its turn: what they came to is written together. */
const sliceMs = 10;
/** How long to wait after a first failure of git, which may be a moment of a repack, and after each other. */
const retryMs = [200, 5_000] as const;

/** The shell around the revisions' machine: tells it what git and the rollout say, and carries out what it wants. */
export class Follow {
  readonly source: Source | RemoteSource;
  /** The saved file, when it differs from the commit. */
  working: Status['working'] = null;
  readonly #options: FollowOptions;
  readonly #state: RevisionsState;
  readonly #pages: Pages;
  #isClosed = false;
  /** The tip that is written: where a restart begins. */
  #written: string | null;
  #failures = 0;
  /** Git has failed more than once, and is left alone for a while: nobody waits for what it will say. */
  #isStuck = false;
  #rest = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #sliceEnd = 0;
  #waiters: { readonly isOver: () => boolean; readonly resolve: () => void }[] = [];
  #sweep: NodeJS.Immediate | undefined;

  constructor(options: FollowOptions) {
    const { settings, memory } = options;
    this.#options = options;
    this.#written = memory.taken;
    const { ref, file, verify } = settings;
    this.#state = createRevisions({ ref, file, isVerified: verify.mode !== 'none' }, memory);
    this.source = this.#createSource(options);
    this.#pages = new Pages((versions) => this.source.read(versions));
  }

  /** The first look: resolves when it is known whether git has a release. */
  async start(): Promise<void> {
    await this.source.check();
    await this.#until(() => this.#options.fleet.target !== null || this.#isIdle());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearImmediate(this.#sweep);
    this.#rest.abort();
    this.#tellWaiters();
    await Promise.all([this.source.close(), ...this.#running]);
  }

  get head(): Head | null {
    return this.#state.head;
  }

  /** How many revisions have no verdict yet, beside the head. */
  get waiting(): number {
    const { head, judging } = this.#state;
    return countWaiting(this.#state) - (judging !== null && judging.version === head?.version ? 1 : 0);
  }

  /** Whether the head is of a rewritten history that nobody can accept. */
  get isRefused(): boolean {
    return this.#state.hold?.cause === 'refused-rewrite';
  }

  /** An operator lets the held head through, or has the refused one pushed again; resolves when it was judged. */
  async command(type: 'accept' | 'retry', version: string, by: string): Promise<void> {
    this.apply({ type, version, by });
    this.#goOn();
    await this.#headJudged();
  }

  /** Moves the machine, and carries out what it wants. */
  apply(event: RevisionEvent, compiled: Judged['compiled'] = null): void {
    const { facts, effects } = step(this.#state, event, this.#rollout());
    facts.forEach(this.#options.onFact);
    for (const effect of effects) {
      if (effect.type === 'release') this.#release(effect, compiled);
      else if (effect.type === 'accept_tip') this.source.accept(effect.tip);
      else if (!this.#isClosed) this.#begin(effect);
    }
    this.#settle();
  }

  #rollout(): RolloutView {
    const { fleet } = this.#options;
    const { live, target } = fleet;
    return {
      live: live?.version ?? null,
      target: target?.version ?? null,
      refusalOf: (version) => fleet.refusalOf(version),
    };
  }

  /** What is live, or on its way, has been compiled before. */
  #release({ version, how }: Extract<RevisionEffect, { type: 'release' }>, compiled: Judged['compiled']): void {
    const { fleet } = this.#options;
    if (compiled?.release.version === version) fleet.release(compiled, how);
    else fleet.apply({ type: how, at: Date.now(), version });
  }

  /** Once nothing waits and the rollout has come to its end, the tip is written: what a crash cuts short comes again. */
  #settle(): void {
    this.#tellWaiters();
    if (!this.#isIdle() || this.#isClosed) return;
    clearImmediate(this.#sweep);
    this.#sweep = setImmediate(() => this.#closeOpen());
    const { taken } = this.#state;
    if (this.#options.fleet.isUndecided || taken === this.#written) return;
    this.#options.journal.add({ type: 'tip', commit: taken });
    this.#written = taken;
  }

  /** Nothing is judged, and nothing is looked for. */
  #isIdle(): boolean {
    const { judging, lookBack } = this.#state;
    return countWaiting(this.#state) === 0 && judging === null && (lookBack === null || lookBack.isDone);
  }

  /** What no move brings any more (a held one that was put back, what a crash cut short) gets its final outcome. */
  #closeOpen(): void {
    const { journal, onClosed } = this.#options;
    const { head, tip } = this.#state;
    if (!this.#isIdle() || head === null || tip === null) return;
    const { live, target } = this.#rollout();
    for (const { version, before } of journal.open())
      if (![head.version, live, target].includes(version)) onClosed(version, before);
  }

  #begin(effect: Extract<RevisionEffect, { type: 'judge' | 'list' }>): void {
    const work = this.#carryOut(effect).finally(() => this.#running.delete(work));
    this.#running.add(work);
  }

  async #carryOut(effect: Extract<RevisionEffect, { type: 'judge' | 'list' }>): Promise<void> {
    try {
      await (effect.type === 'judge' ? this.#judge(effect) : this.#list(effect));
    } catch (error) {
      if (!isGitError(error)) throw error;
      await this.#tryAgain(effect, error);
    }
  }

  async #judge({ version, next, standing }: Extract<RevisionEffect, { type: 'judge' }>): Promise<void> {
    if (!standing.isHead && !(await this.#breathe())) return;
    const revision = await this.#pages.get(version, next);
    const judged = await this.#options.intake.judge(revision, standing).catch(toGitError);
    this.#end();
    if (this.#isClosed) return;
    // What follows from the newest is pushed, and written, before anything older is looked at.
    if (standing.isHead) this.#sliceEnd = 0;
    this.#options.onJudged(revision, judged, standing);
    this.apply({ type: 'judged', version, verdict: judged.verdict }, judged.compiled);
  }

  /** False: all ends. */
  async #breathe(): Promise<boolean> {
    if (performance.now() >= this.#sliceEnd) {
      await turn();
      this.#sliceEnd = performance.now() + sliceMs;
    }
    return !this.#isClosed;
  }

  async #list({ tip, skip, limit }: Extract<RevisionEffect, { type: 'list' }>): Promise<void> {
    const revisions = await this.source.older(tip, { skip, limit });
    this.#end();
    if (this.#isClosed) return;
    this.#pages.put(revisions);
    this.apply({ type: 'listed', tip, skip, revisions });
  }

  /** Fails closed: what can't be read, or whose signature can't be checked now, is not released. What comes meanwhile goes first. */
  async #tryAgain(effect: Extract<RevisionEffect, { type: 'judge' | 'list' }>, error: GitError): Promise<void> {
    this.#failures += 1;
    const what = effect.type === 'judge' ? `commit ${short(effect.version)} can't be judged` : lookBackFails;
    if (this.#failures > 1) this.#options.problems.begin(problemOf(effect), `${what}: ${error.message}`, error.hint);
    this.#isStuck = this.#failures > 1;
    this.#tellWaiters();
    const { signal } = this.#rest;
    await sleep(retryMs[this.#isStuck ? 1 : 0], undefined, { signal, ref: false }).catch(() => undefined);
    this.#isStuck = false;
    if (this.#isClosed) return;
    if (effect.type === 'judge') this.apply({ type: 'unjudged', version: effect.version });
    else this.apply({ type: 'unlisted' });
  }

  /** What has just come doesn't wait for what failed. */
  #goOn(): void {
    if (this.#isClosed) return;
    this.#isStuck = false;
    this.#rest.abort();
    this.#rest = new AbortController();
  }

  #end(): void {
    if (this.#failures > 1) for (const code of ['backlog', 'look-back'] as const) this.#options.problems.end(code);
    this.#failures = 0;
  }

  #createSource({ settings, memory, stateDirectory, secrets }: FollowOptions): Source | RemoteSource {
    const { path, ref, file, onRewrite, pollMs, remote } = settings;
    const onEvent = (event: SourceEvent): Promise<void> => this.#onEvent(event);
    const common = { file, onRewrite, since: memory.taken, onEvent };
    if (remote === null) return new Source({ ...common, path, ref, pollMs });
    return new RemoteSource({ ...common, remote, secrets, directory: join(stateDirectory, 'mirror.git') });
  }

  async #onEvent(event: SourceEvent): Promise<void> {
    const { log, problems, settings, judge } = this.#options;
    if (event.type === 'moved') await this.#onMoved(event);
    else if (event.type !== 'working-file') sayTrouble(event, { log, problems });
    else {
      const working = await checkSaved(event.state, { log, judge, file: settings.file });
      if (working !== undefined) this.working = working;
    }
  }

  /** Resolves when its newest revision was judged. */
  async #onMoved(moved: Moved): Promise<void> {
    const { problems, settings } = this.#options;
    const { newest } = moved;
    if (newest !== null) {
      this.#pages.put([newest]);
      this.#options.onNewest(newest);
    }
    this.apply(moved);
    this.#goOn();
    const isTaken = this.#state.taken === moved.tip;
    for (const { code, message, hint } of problemsOf({ ...moved, isTaken }, settings))
      problems.set(code, message, hint);
    await this.#headJudged();
  }

  #headJudged(): Promise<void> {
    return this.#until(() => {
      const { head, judging, waiting } = this.#state;
      return head === null || ![judging, waiting.at(-1)].some((revision) => revision?.version === head.version);
    });
  }

  /** Resolves when it is so, or git fails, or all ends. */
  #until(isSo: () => boolean): Promise<void> {
    const isOver = (): boolean => isSo() || this.#isStuck || this.#isClosed;
    return new Promise((resolve) => {
      this.#waiters.push({ isOver, resolve });
      this.#tellWaiters();
    });
  }

  #tellWaiters(): void {
    const waiters = this.#waiters;
    this.#waiters = waiters.filter(({ isOver }) => !isOver());
    for (const waiter of waiters) if (!this.#waiters.includes(waiter)) waiter.resolve();
  }
}

/** A fault of ours on one commit ends neither the process nor the commits after it. */
function toGitError(error: unknown): never {
  if (isGitError(error)) throw error;
  const words = error instanceof Error ? error.message : String(error);
  throw new GitError('git-failed', `a fault of shardplane (${words})`, 'please report it; a newer commit goes first');
}

const lookBackFails = "the history can't be looked through for a release to go back to";

function problemOf({ type }: Extract<RevisionEffect, { type: 'judge' | 'list' }>): 'backlog' | 'look-back' {
  return type === 'list' ? 'look-back' : 'backlog';
}
