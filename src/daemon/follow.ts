import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Revision } from '../git/revision.ts';
import { RemoteSource } from '../git/remote-source.ts';
import { Source } from '../git/source.ts';
import type { Moved, SourceEvent } from '../git/source.ts';
import type { Status } from '../http/api.ts';
import type { Judge } from '../judge/judge.ts';
import { ReaderError } from '../judge/reader.ts';
import type { LedgerEntry } from '../ledger/entry.ts';
import type { Secrets } from '../secrets.ts';
import type { RepositorySettings } from '../settings/settings.ts';
import type { Intake, Verdict } from './intake.ts';
import type { ProblemCode, Problems } from './problems.ts';
import type { Record } from './record.ts';
import { drawAll, short } from './say.ts';
import { showAll } from './status.ts';

export interface FollowOptions {
  readonly settings: RepositorySettings;
  readonly log: Logger;
  readonly judge: Judge;
  readonly problems: Problems;
  readonly record: Record;
  readonly intake: Intake;
  readonly write: (entry: LedgerEntry) => void;
  /** The tip that was taken last before a restart. */
  readonly since: string | null;
  /** A remote's mirror is kept there. */
  readonly stateDirectory: string;
  /** Learns those of the remote. */
  readonly secrets: Secrets;
  /** Versions that an operator has let through. */
  readonly accepted: ReadonlySet<string>;
  readonly liveVersion: () => string | null;
  /** What every node shall have: the release that is being rolled out, else the live one. */
  readonly targetVersion: () => string | null;
  /** A release is being rolled out: it is neither live nor refused yet. */
  readonly isUndecided: () => boolean;
}

/** From what git tells to the intake: what of a moved ref may be taken, and what is to be said of it. */
export class Follow {
  readonly source: Source | RemoteSource;
  /** The saved file, when it differs from the commit. */
  working: Status['working'] = null;
  readonly #options: FollowOptions;
  readonly #accepted: Set<string>;
  #turn: Promise<unknown> = Promise.resolve();
  /** The last move: an operator may have it taken. */
  #lastMove: Moved | null = null;
  /** The move's older revisions are still to come. */
  #isBehind = false;
  /** Something of the move was offered: what comes of it now is overtaken. */
  #isOffered = false;
  /** The tip that was taken last. */
  #base: string | null;
  /** What was taken, and waits to be remembered. */
  #taken: Moved | null = null;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#accepted = new Set(options.accepted);
    this.#base = options.since;
    this.source = this.#createSource(options);
  }

  isAccepted(version: string): boolean {
    return this.#accepted.has(version);
  }

  /** The move that was told last: what is judged belongs to it. */
  get move(): Moved | null {
    return this.#lastMove;
  }

  /** Whether the head is of a rewritten history that nobody can accept. */
  get isRefused(): boolean {
    return this.#lastMove?.decision === 'refuse';
  }

  /** An operator lets the held head through. */
  async accept(version: string, by: string): Promise<void> {
    this.#accepted.add(version);
    this.#options.write({ type: 'accepted', version, by });
    const moved = this.#lastMove;
    if (moved === null) return;
    // Held by a guard, the move was gone through already: only its newest revision is judged anew.
    await this.#take(moved.decision === 'take' ? { ...moved, revisions: [] } : moved);
  }

  /** What was refused has nothing to fall back to: looks for it in the history of what was taken. False: there is none. */
  lookBack(): Promise<boolean> {
    return this.inTurn(async () => {
      const isNeeded = this.#options.targetVersion() === null;
      return !isNeeded || (this.#base !== null && (await this.#options.intake.lookBack(this.#base)));
    });
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
    if (event.type === 'working-file') return this.#onWorkingFile(event.state);
    return this.inTurn(() => this.#onEvent(event));
  }

  async #onEvent(event: Exclude<SourceEvent, { type: 'working-file' }>): Promise<void> {
    const { problems } = this.#options;
    switch (event.type) {
      case 'moved':
        await this.#onMoved(event);
        break;
      case 'backlog':
        await this.#onBacklog(event);
        break;
      case 'failed':
        this.#onFailed(event);
        break;
      case 'recovered':
        problems.end(event.part);
        break;
      case 'mirror-rebuilt':
        this.#options.log.warn(
          { event: 'mirror_rebuilt' },
          `the mirror was damaged (${event.reason}) and is made anew`,
        );
        break;
      case 'watched':
        problems.end('watch');
        break;
      case 'unwatched':
        problems.begin(
          'watch',
          `the repository can't be watched: ${event.error.message}`,
          'changes are seen by polling',
        );
    }
  }

  #onFailed({ part, error }: Extract<SourceEvent, { type: 'failed' }>): void {
    const { problems } = this.#options;
    problems.begin(part, error.message, error.hint);
    // the ref is there, whatever was said of it before
    if (error.code === 'bad-ref' || error.code === 'ref-broken')
      for (const code of ['ref', 'ref-deleted'] as const) problems.end(code);
  }

  async #onMoved(told: Moved): Promise<void> {
    const moved = this.#isPutBack(told) ? { ...told, decision: 'take' as const } : told;
    const { newest, decision, revisions } = moved;
    const { record, liveVersion } = this.#options;
    this.#sayProblems(moved);
    if (newest === null) {
      record.noHead();
      return;
    }
    if (moved !== told) this.#acceptTip(moved);
    const isSettled = this.#isSettled(moved);
    this.#lastMove = moved;
    this.#isBehind = moved.older.length > 0;
    this.#isOffered = true;
    if (isSettled) {
      if (decision === 'take') this.#remember(moved);
      return;
    }
    const known = newest.version === liveVersion() ? 'live' : null;
    record.older(moved.older);
    record.revisions(revisions.length > 0 ? revisions : [newest], known);
    if (decision === 'take' || (decision === 'hold' && this.isAccepted(newest.version))) await this.#take(moved);
    else record.verdict(this.#toHold(moved, newest));
  }

  /** The older part of a very long move: recorded with it, and still without an outcome. */
  async #onBacklog({ revisions, isLast }: Extract<SourceEvent, { type: 'backlog' }>): Promise<void> {
    const { intake } = this.#options;
    if (this.#isOffered) await intake.overtaken(revisions.toReversed());
    else this.#isOffered = await intake.takeOlder(revisions);
    if (!isLast) return;
    this.#isBehind = false;
    this.onDecided();
  }

  /** However the ref came there: of what the fleet has, or is getting, nothing is left to be held. */
  #isPutBack({ decision, newest }: Moved): boolean {
    const { liveVersion, targetVersion } = this.#options;
    const isRewritten = decision === 'hold' || decision === 'refuse';
    return isRewritten && newest !== null && [liveVersion(), targetVersion()].includes(newest.version);
  }

  #acceptTip({ tip }: Moved): void {
    if (tip !== null) this.source.accept(tip);
  }

  #toHold(moved: Moved, revision: Revision): Verdict {
    const held = { outcome: 'held', revision, reason: this.#rewritten(moved) } as const;
    if (moved.decision !== 'refuse') return held;
    return { ...held, hint: `on_rewrite: refuse lets nobody accept it; ${putBack(moved)}` };
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

  async #take(moved: Moved): Promise<void> {
    if (moved.decision !== 'take') this.#acceptTip(moved);
    this.#isOffered = await this.#options.intake.take(moved);
    this.#remember(moved);
  }

  #remember(moved: Moved): void {
    this.#taken = moved;
    this.#base = moved.tip;
    this.onDecided();
  }

  /** The rollout may have come to its end. Only then is the tip written: what a crash cuts short is gone through again. */
  onDecided(): void {
    if (this.#taken === null || this.#isBehind || this.#options.isUndecided()) return;
    this.#options.write({ type: 'tip', commit: this.#taken.tip });
    this.#taken = null;
  }

  #sayProblems(moved: Moved): void {
    const { tip, newest, decision, movement } = moved;
    const { problems, settings } = this.#options;
    const { ref, file } = settings;
    const set = (code: ProblemCode, when: boolean, message: string, hint: string): void =>
      problems.set(code, when ? message : null, hint);
    set(
      'ref',
      tip === null && movement === 'absent',
      ref === 'HEAD' ? 'there is no commit yet on HEAD' : `there is no ref ${ref} yet`,
      `commit a ${file}: it is taken up by itself`,
    );
    set(
      'ref-deleted',
      tip === null && movement === 'deleted',
      `${ref} is gone: it names no commit any more`,
      'what is live stays live; the ref is taken up by itself when it is back',
    );
    set(
      'file',
      tip !== null && newest === null,
      `no commit of ${ref} has ${file}`,
      `commit a ${file}, or set repository.file`,
    );
    set('rewritten', decision === 'refuse', `${this.#rewritten(moved)}, which on_rewrite refuses`, putBack(moved));
  }

  #rewritten({ movement, previous, tip }: Moved): string {
    const how = movement === 'rewind' ? 'rewound' : 'force-pushed';
    return `${this.#options.settings.ref} was ${how} from ${short(previous ?? '')} to ${short(tip ?? '')}`;
  }

  /** A saved edit is checked and said, never pushed. */
  async #onWorkingFile(state: 'same' | Revision['content']): Promise<void> {
    const { log, settings, judge } = this.#options;
    const { file } = settings;
    if (state === 'same') {
      this.working = null;
      return;
    }
    const bytes = 'bytes' in state ? state.bytes : null;
    const diagnostics = 'fault' in state ? [state.fault] : await judge.check(state.bytes).catch(ignoreClosed);
    if (diagnostics === null) return;
    this.working = { valid: diagnostics.length === 0, diagnostics: showAll(diagnostics, bytes) };
    if (diagnostics.length === 0) log.info({ event: 'saved' }, `${file} is saved: valid, not committed`);
    else log.warn({ event: 'saved', drawn: drawAll(diagnostics, bytes) }, `${file} is saved: not valid, not committed`);
  }
}

/** Nobody is told of a saved file any more, or at the next change of it. */
function ignoreClosed(error: unknown): null {
  if (error instanceof ReaderError) return null;
  throw error;
}

function putBack({ previous }: Moved): string {
  return `put the ref back to ${short(previous ?? '')}, or commit on top of that`;
}
