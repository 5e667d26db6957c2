import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { isGitError, type GitError } from '../git/error.ts';
import type { Revision } from '../git/revision.ts';
import type { Intake, Verdict } from './intake.ts';
import type { Place } from './signatures.ts';

export interface BacklogOptions {
  /** A revision of that move, which may be rolled out. */
  readonly judge: (revision: Revision, place: Place) => Promise<Verdict>;
  readonly judgeOvertaken: Intake['judgeOvertaken'];
  /** As many of the first of these as fit into memory. Throws GitError. */
  readonly read: (versions: readonly string[]) => Promise<Revision[]>;
  /** Which of these have their final outcome. */
  readonly decided: (versions: readonly string[]) => ReadonlySet<string>;
  /** An Envoy has refused this version. */
  readonly isPinned: (version: string) => boolean;
  /** It is the newest revision, or the fleet has it or is getting it: what becomes of it is not ours to say. */
  readonly isInUse: (version: string) => boolean;
  /** Runs what may release something, one after the other with moves of the ref and commands. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  readonly report: (verdict: Verdict) => void;
  /** Nothing is left to judge. */
  readonly onIdle: () => void;
  /** Revisions can't be read; null: they can again. */
  readonly onTrouble: (error: GitError | null) => void;
  /** How long to wait after a first failure, which may be a moment of a repack, and after each other. */
  readonly retryMs?: readonly [number, number];
}

/** Revisions of one move that wait to be judged. */
interface Part {
  /** Newest first. */
  versions: string[];
  /** Nothing newer could be rolled out: the newest good one of these is to be. */
  isWanted: boolean;
  readonly place: Place;
  /** The first of `versions`, as far as they are read already. */
  page: Revision[];
}

/** Read at once: a search ends soon, the overtaken ones are judged to the last. */
const searched = 20;
const overtaken = 500;
/** Outcomes are told, and written, together: so many, or those of this time. */
const toldAtMost = 50;
const toldEachMs = 100;
/** The bound on all that waits; a move is never more than 10,000. */
const maxWaiting = 50_000;

/**
 * The revisions that are older than the newest: each still gets its outcome, newest first. A move of the ref never waits for
 * this: between two revisions it comes first. Only versions wait here; contents are read when it is their turn.
 */
export class Backlog {
  readonly #options: BacklogOptions;
  readonly #stop = new AbortController();
  #parts: Part[] = [];
  #running: Promise<void> | null = null;
  #searchers: (() => void)[] = [];
  #failures = 0;

  constructor(options: BacklogOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#parts.reduce((sum, { versions }) => sum + versions.length, 0);
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  /** The older revisions of a move, newest first. */
  add(versions: readonly string[], { isWanted, place }: { isWanted: boolean; place: Place }): void {
    if (versions.length === 0) return;
    // What is read and what waits stays bounded, however often the ref moves meanwhile.
    for (const part of this.#parts) part.page = [];
    this.#parts.unshift({ versions: [...versions], isWanted, place, page: [] });
    while (this.size > maxWaiting && this.#parts.length > 1) this.#parts.pop();
    this.#start();
  }

  /** Something newer is rolled out: all that waits is overtaken. */
  onOffered(): void {
    for (const part of this.#parts) part.isWanted = false;
  }

  /** Resolves when no revision is looked for any more that could be rolled out, or the history can't be read. */
  searched(): Promise<void> {
    return new Promise((resolve) => {
      this.#searchers.push(resolve);
      this.#tellSearchers();
    });
  }

  /** Judges no more; resolves when nothing runs. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  #tellSearchers(): void {
    if (this.#failures < 2 && this.#parts.some(({ isWanted }) => isWanted)) return;
    for (const resolve of this.#searchers.splice(0)) resolve();
  }

  #start(): void {
    this.#running ??= this.#run().finally(() => (this.#running = null));
  }

  async #run(): Promise<void> {
    // What was decided on the newest is pushed, and written, before anything older is looked at.
    await turn();
    for (let part = this.#parts[0]; part && !this.#stop.signal.aborted; part = this.#parts[0]) {
      await this.#work(part);
      this.#tellSearchers();
    }
    if (!this.#stop.signal.aborted) this.#options.onIdle();
  }

  async #work(part: Part): Promise<void> {
    try {
      const isOver = await (part.isWanted ? this.#search(part) : this.#tellOvertaken(part));
      if (isOver) this.#parts = this.#parts.filter((each) => each !== part);
      if (this.#failures > 1) this.#options.onTrouble(null);
      this.#failures = 0;
    } catch (error) {
      if (!isGitError(error)) throw error;
      await this.#fail(error);
    }
  }

  async #fail(error: GitError): Promise<void> {
    this.#failures += 1;
    if (this.#failures > 1) this.#options.onTrouble(error);
    this.#tellSearchers();
    const [firstMs, nextMs] = this.#options.retryMs ?? [200, 5_000];
    const waitMs = this.#failures > 1 ? nextMs : firstMs;
    await sleep(waitMs, undefined, { signal: this.#stop.signal, ref: false }).catch(() => undefined);
  }

  /** One revision more of those that might be rolled out. True: there is none left. */
  async #search(part: Part): Promise<boolean> {
    if (part.page.length === 0) part.page = await this.#options.read(part.versions.slice(0, searched));
    const [revision] = part.page;
    if (revision === undefined) return true;
    await this.#options.inTurn(async () => {
      if (part.isWanted && part.page[0] === revision) await this.#offer(part, revision);
    });
    return part.versions.length === 0;
  }

  async #offer(part: Part, revision: Revision): Promise<void> {
    const { judge, isPinned, report } = this.#options;
    const verdict = await judge(revision, part.place);
    part.page.shift();
    part.versions.shift();
    if (verdict.outcome === 'candidate') {
      if (!isPinned(revision.version)) this.onOffered();
      report(verdict);
      return;
    }
    // Only the newest can be accepted.
    this.#tell([verdict.outcome === 'held' ? { outcome: 'superseded', revision } : verdict]);
  }

  /** The next of those that others have overtaken, until a newer move comes. True: there is none left. */
  async #tellOvertaken(part: Part): Promise<boolean> {
    const chunk = part.versions.slice(0, overtaken);
    const decided = this.#options.decided(chunk);
    const open = chunk.filter((version) => !decided.has(version));
    const revisions = open.length === 0 ? [] : await this.#options.read(open);
    if (revisions.length > 0) await this.#judgeAll(part, revisions);
    else part.versions.splice(0, chunk.length);
    return part.versions.length === 0;
  }

  async #judgeAll(part: Part, revisions: readonly Revision[]): Promise<void> {
    let verdicts: Verdict[] = [];
    let since = Date.now();
    const tell = async (): Promise<void> => {
      this.#tell(verdicts);
      const last = verdicts.at(-1)?.revision.version ?? '';
      part.versions.splice(0, part.versions.indexOf(last) + 1);
      [verdicts, since] = [[], Date.now()];
      await turn();
    };
    for (const revision of revisions) {
      if (this.#parts[0] !== part || this.#stop.signal.aborted) break;
      verdicts.push(await this.#options.judgeOvertaken(revision));
      if (verdicts.length >= toldAtMost || Date.now() - since >= toldEachMs) await tell();
      else await turn();
    }
    await tell();
  }

  #tell(verdicts: readonly Verdict[]): void {
    const { decided, isInUse, report } = this.#options;
    const done = decided(verdicts.map(({ revision }) => revision.version));
    for (const verdict of verdicts)
      if (!done.has(verdict.revision.version) && !isInUse(verdict.revision.version)) report(verdict);
  }
}
