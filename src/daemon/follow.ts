import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Revision } from '../git/revision.ts';
import { RemoteSource } from '../git/remote-source.ts';
import { Source } from '../git/source.ts';
import type { Moved, SourceEvent } from '../git/source.ts';
import type { Status } from '../http/api.ts';
import type { Judge } from '../judge/judge.ts';
import type { Secrets } from '../secrets.ts';
import type { RepositorySettings } from '../settings/settings.ts';
import { Backlog } from './backlog.ts';
import type { Fleet } from './fleet.ts';
import type { Intake, Verdict } from './intake.ts';
import type { Journal } from './journal.ts';
import { problemsOf, putBack, rewritten, sayTrouble } from './moves.ts';
import type { Problems } from './problems.ts';
import type { Record } from './record.ts';
import { searchHistory } from './look-back.ts';
import { checkSaved } from './saved.ts';
import type { Place } from './signatures.ts';

export interface FollowOptions {
  readonly settings: RepositorySettings;
  readonly log: Logger;
  readonly judge: Judge;
  readonly problems: Problems;
  readonly record: Record;
  readonly intake: Intake;
  /** Carries a verdict to the record and the fleet. */
  readonly report: (verdict: Verdict) => void;
  readonly fleet: Pick<Fleet, 'live' | 'target' | 'isUndecided' | 'isPinned'>;
  /** The ledger. */
  readonly journal: Pick<Journal, 'add' | 'decided' | 'open'>;
  /** The tip that was taken last before a restart. */
  readonly since: string | null;
  /** A remote's mirror is kept there. */
  readonly stateDirectory: string;
  /** Learns those of the remote. */
  readonly secrets: Secrets;
  /** Versions that an operator has let through. */
  readonly accepted: ReadonlySet<string>;
  /** There is nothing to serve: has `lookBack` called until git answers. */
  readonly lookBack: () => Promise<void>;
}

/** From what git tells to the intake: what of a moved ref may be taken, and what is to be said of it. */
export class Follow {
  readonly source: Source | RemoteSource;
  readonly backlog: Backlog;
  /** The saved file, when it differs from the commit. */
  working: Status['working'] = null;
  readonly #options: FollowOptions;
  readonly #accepted: Set<string>;
  #turn: Promise<unknown> = Promise.resolve();
  /** The last move: an operator may have it taken. */
  #lastMove: Moved | null = null;
  /** The tip that was taken last. */
  #base: string | null;
  /** Nothing of what was taken may be served, so far. */
  #isSeeking = false;
  /** The move of an older revision that is judged now. */
  #judged: Place | null = null;
  /** What was taken, and waits to be remembered. */
  #taken: Moved | null = null;
  #sweep: NodeJS.Immediate | undefined;
  #isClosed = false;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#accepted = new Set(options.accepted);
    this.#base = options.since;
    this.source = this.#createSource(options);
    this.backlog = this.#createBacklog(options);
  }

  /** The first look: resolves when it is known whether git has a release. */
  async start(): Promise<void> {
    await this.source.check();
    await this.backlog.searched();
    if (this.#targetVersion === null) await this.#options.lookBack();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearImmediate(this.#sweep);
    await this.backlog.close();
    await this.source.close();
  }

  get #liveVersion(): string | null {
    return this.#options.fleet.live?.version ?? null;
  }

  /** What every node shall have: the release that is being rolled out, else the live one. */
  get #targetVersion(): string | null {
    return this.#options.fleet.target?.version ?? null;
  }

  isAccepted(version: string): boolean {
    return this.#accepted.has(version);
  }

  /** What is judged belongs to it: the move that was told last, or an older one. */
  get move(): Place | null {
    return this.#judged ?? this.#lastMove;
  }

  /** Whether the head is of a rewritten history that nobody can accept. */
  get isRefused(): boolean {
    return this.#lastMove?.decision === 'refuse';
  }

  /** An operator lets the held head through. */
  async accept(version: string, by: string): Promise<void> {
    this.#accepted.add(version);
    this.#options.journal.add({ type: 'accepted', version, by });
    const moved = this.#lastMove;
    if (moved === null) return;
    // The others of the move have their outcome already: only its newest revision is judged anew.
    await this.#take(moved, []);
  }

  /** There is nothing to serve: looks for it in the history of what was taken. False: there is none. Throws GitError. */
  async lookBack(): Promise<boolean> {
    const isNeeded = (): boolean => this.#targetVersion === null;
    return this.#base === null
      ? !isNeeded()
      : await searchHistory(this.#base, {
          isNeeded,
          older: (tip, page) => this.source.older(tip, page),
          offer: (revision) => this.inTurn(async () => !isNeeded() || (await this.#offerOlder(revision))),
        });
  }

  async #offerOlder(revision: Revision): Promise<boolean> {
    const verdict = await this.#options.intake.judge(revision);
    if (verdict.outcome !== 'candidate' || this.#options.fleet.isPinned(revision.version)) return false;
    this.#options.report(verdict);
    return true;
  }

  /**
   * Runs what judges revisions one after the other: git's events and the operators' commands. A judgement that takes long (gpg)
   * is neither overtaken by a newer one nor overtakes it.
   */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  #createSource({ settings, since, stateDirectory, secrets }: FollowOptions): Source | RemoteSource {
    const { path, ref, file, onRewrite, pollMs, remote } = settings;
    const common = {
      file,
      onRewrite,
      since,
      onEvent: (event: SourceEvent): Promise<void> => this.#hear(event),
    };
    if (remote === null) return new Source({ ...common, path, ref, pollMs });
    return new RemoteSource({ ...common, remote, secrets, directory: join(stateDirectory, 'mirror.git') });
  }

  /** A saved file that takes long to read stands in no commit's way: the source tells of one after the other. */
  #hear(event: SourceEvent): Promise<void> {
    if (event.type === 'working-file') return this.#onSaved(event.state);
    return this.inTurn(() => this.#onEvent(event));
  }

  async #onEvent(event: Exclude<SourceEvent, { type: 'working-file' }>): Promise<void> {
    const { log, problems } = this.#options;
    if (event.type === 'moved') await this.#onMoved(event);
    else sayTrouble(event, { log, problems });
  }

  async #onMoved(told: Moved): Promise<void> {
    const moved = this.#isPutBack(told) ? { ...told, decision: 'take' as const } : told;
    const { newest, decision, revisions } = moved;
    const { record } = this.#options;
    this.#sayProblems(moved);
    if (newest === null) {
      record.noHead();
      return;
    }
    if (moved !== told) this.#acceptTip(moved);
    const isSettled = this.#isSettled(moved);
    this.#lastMove = moved;
    if (isSettled) {
      if (decision === 'take') this.#remember(moved);
      return;
    }
    record.revisions(revisions.length > 0 ? revisions : [newest], newest);
    if (newest.version === this.#liveVersion) record.isLive(newest.version);
    const older = revisions.map(({ version }) => version).filter((version) => version !== newest.version);
    if (decision === 'take' || (decision === 'hold' && this.isAccepted(newest.version)))
      await this.#take(moved, older.reverse());
    else this.#hold(moved, older.reverse());
  }

  /** However the ref came there: of what the fleet has, or is getting, nothing is left to be held. */
  #isPutBack({ decision, newest }: Moved): boolean {
    const isRewritten = decision === 'hold' || decision === 'refuse';
    return isRewritten && newest !== null && [this.#liveVersion, this.#targetVersion].includes(newest.version);
  }

  #acceptTip({ tip }: Moved): void {
    if (tip !== null) this.source.accept(tip);
  }

  /** Only the newest can be accepted: the others are overtaken now. */
  #hold(moved: Moved, older: readonly string[]): void {
    if (moved.newest === null) return;
    const held = {
      outcome: 'held',
      revision: moved.newest,
      reason: rewritten(moved, this.#options.settings.ref),
    } as const;
    const hint = `on_rewrite: refuse lets nobody accept it; ${putBack(moved)}`;
    this.#options.report(moved.decision === 'refuse' ? { ...held, hint } : held);
    this.backlog.add(older, { isWanted: false, place: { ...moved, newest: null } });
    this.onDecided();
  }

  /** Commits that leave the file alone change nothing about the newest revision: what was said of it is not said again. */
  #isSettled({ newest, revisions, decision }: Moved): boolean {
    const { settings, record } = this.#options;
    const { head } = record;
    const isSame = revisions.length === 0 && newest?.version === head?.version && decision === this.#lastMove?.decision;
    // what the ref names now may be signed, where what it named before was not
    const isOver = settings.verify.mode === 'none' || head?.outcome !== 'invalid';
    return isSame && head?.outcome != null && isOver;
  }

  async #take(moved: Moved, older: readonly string[]): Promise<void> {
    const { newest } = moved;
    if (newest === null) return;
    if (moved.decision !== 'take') this.#acceptTip(moved);
    const verdict = await this.#options.intake.judge(newest);
    this.#options.report(verdict);
    const isOffered = verdict.outcome === 'candidate' && !this.#options.fleet.isPinned(newest.version);
    if (isOffered) this.backlog.onOffered();
    this.#isSeeking = !isOffered;
    this.backlog.add(older, { isWanted: !isOffered, place: { ...moved, newest: null } });
    this.#remember(moved);
  }

  #remember(moved: Moved): void {
    this.#taken = moved;
    this.#base = moved.tip;
    this.onDecided();
  }

  /**
   * A revision's outcome is known. Once all of the move have theirs, and the rollout has come to its end, the tip is written:
   * what a crash cuts short is gone through again.
   */
  onDecided(): void {
    if (!this.backlog.isEmpty) return;
    clearImmediate(this.#sweep);
    if (!this.#isClosed) this.#sweep = setImmediate(() => void this.inTurn(() => this.#closeOpen()));
    if (this.#isSeeking && this.#targetVersion === null) void this.#options.lookBack();
    this.#isSeeking = false;
    if (this.#taken === null || this.#options.fleet.isUndecided) return;
    this.#options.journal.add({ type: 'tip', commit: this.#taken.tip });
    this.#taken = null;
  }

  /** What no move brings any more (a held one that was put back, what a crash cut short) gets its final outcome. */
  async #closeOpen(): Promise<void> {
    const { journal, record } = this.#options;
    if (!this.backlog.isEmpty || this.#lastMove === null || record.head === null) return;
    const open = journal.open().filter(({ version }) => !this.#isInUse(version));
    for (const { version, before } of open) record.close(version, before);
    await Promise.resolve();
  }

  #isInUse(version: string): boolean {
    return [this.#options.record.head?.version, this.#liveVersion, this.#targetVersion].includes(version);
  }

  #createBacklog({ intake, fleet, journal, report, problems }: FollowOptions): Backlog {
    return new Backlog({
      judge: async (revision, place) => {
        this.#judged = place;
        return await intake.judge(revision).finally(() => (this.#judged = null));
      },
      judgeOvertaken: (revision) => intake.judgeOvertaken(revision),
      isPinned: (version) => fleet.isPinned(version),
      report,
      read: (versions) => this.source.read(versions),
      decided: (versions) => journal.decided(versions),
      isInUse: (version) => this.#isInUse(version),
      inTurn: (work) => this.inTurn(work),
      onIdle: () => this.onDecided(),
      onTrouble: (error) =>
        problems.set('backlog', error && `older commits can't be read: ${error.message}`, error?.hint),
    });
  }

  #sayProblems(moved: Moved): void {
    const { problems, settings } = this.#options;
    for (const { code, message, hint } of problemsOf(moved, settings)) problems.set(code, message, hint);
  }

  async #onSaved(state: 'same' | Revision['content']): Promise<void> {
    const { log, judge, settings } = this.#options;
    const working = await checkSaved(state, { log, judge, file: settings.file });
    if (working !== undefined) this.working = working;
  }
}
