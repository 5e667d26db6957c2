import type { Logger } from 'pino';
import { join } from 'node:path';
import { RemoteSource } from '../git/follow/remote-source.ts';
import type { Revision } from '../git/read/revision.ts';
import { Source } from '../git/follow/source.ts';
import type { Moved, Outcomes, SourceEvent } from '../git/follow/source.ts';
import type { Status } from '../http/api.ts';
import type { Judge } from '../judge/judge.ts';
import { countWaiting, isIdle } from '../revisions/state.ts';
import type { Head, RevisionsState } from '../revisions/state.ts';
import type { RevisionEvent } from '../revisions/types.ts';
import type { Secrets } from '../secrets.ts';
import type { RepositorySettings } from '../settings/settings.ts';
import type { Judging } from './judging.ts';
import { problemsOf, sayTrouble } from './moves.ts';
import type { Problems } from './problems.ts';
import { checkSaved } from './saved.ts';
import type { Waiters } from './waiters.ts';

export interface SourceOptions {
  readonly settings: RepositorySettings;
  /** A remote's mirror is kept there. */
  readonly stateDirectory: string;
  /** Learns those of the remote. */
  readonly secrets: Secrets;
  /** The tip that the first look compares with. */
  readonly since: string | null;
  readonly known: (versions: readonly string[]) => Promise<Outcomes>;
  readonly onEvent: (event: SourceEvent) => Promise<void>;
}

/** What of git is followed: the repository, or a mirror of the remote. Throws GitError for a remote's URL that is none. */
export function createSource({ settings, stateDirectory, secrets, ...common }: SourceOptions): Source | RemoteSource {
  const { path, ref, file, onRewrite, pollMs, remote } = settings;
  if (remote === null) return new Source({ ...common, file, onRewrite, path, ref, pollMs });
  const directory = join(stateDirectory, 'mirror.git');
  return new RemoteSource({ ...common, file, onRewrite, remote, secrets, directory });
}

export interface FollowOptions {
  readonly settings: RepositorySettings;
  readonly log: Logger;
  readonly judge: Judge;
  readonly problems: Problems;
  readonly source: Pick<Source | RemoteSource, 'check' | 'close'>;
  readonly judging: Pick<Judging, 'have' | 'goOn' | 'isStuck' | 'close'>;
  readonly waiters: Waiters;
  /** Moved by the controller alone. */
  readonly state: RevisionsState;
  /** The newest revision, before anything is decided about it. */
  readonly onNewest: (revision: Revision) => void;
  readonly put: (event: RevisionEvent) => void;
}

/** Tells the machine how git moves and what operators want, and whoever waits that it is through with it. */
export class Follow {
  /** The saved file, when it differs from the commit. */
  working: Status['working'] = null;
  readonly #options: FollowOptions;

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  /** The first look: resolves when it is known whether git has a release. `isServed`: there is one. */
  async start(isServed: () => boolean): Promise<void> {
    await this.#options.source.check();
    await this.#until(() => isServed() || isIdle(this.#options.state));
  }

  async close(): Promise<void> {
    const { source, judging, waiters } = this.#options;
    waiters.close();
    await Promise.all([source.close(), judging.close()]);
  }

  get head(): Head | null {
    return this.#options.state.head;
  }

  /** How many revisions have no verdict yet, beside the head. */
  get waiting(): number {
    const { state } = this.#options;
    const { head, judging } = state;
    return countWaiting(state) - (judging !== null && judging.version === head?.version ? 1 : 0);
  }

  /** Whether the head is of a rewritten history that nobody can accept. */
  get isRefused(): boolean {
    return this.#options.state.hold?.cause === 'refused-rewrite';
  }

  /** An operator lets the held head through, or has the refused one pushed again; resolves when it was judged. */
  async command(event: Extract<RevisionEvent, { type: 'accept' | 'retry' }>): Promise<void> {
    this.#options.put(event);
    this.#options.judging.goOn();
    await this.#headJudged();
  }

  /** Looks at the repository now; resolves when its newest revision was judged. */
  check(): Promise<void> {
    return this.#options.source.check();
  }

  readonly onEvent = async (event: SourceEvent): Promise<void> => {
    const { log, problems, settings, judge } = this.#options;
    if (event.type === 'moved') await this.#onMoved(event);
    else if (event.type !== 'working-file') sayTrouble(event, { log, problems });
    else {
      const working = await checkSaved(event.state, { log, judge, file: settings.file });
      if (working !== undefined) this.working = working;
    }
  };

  /** Resolves when its newest revision was judged. */
  async #onMoved(moved: Moved): Promise<void> {
    const { problems, settings, state, judging, onNewest, put } = this.#options;
    const { newest } = moved;
    if (newest !== null) {
      judging.have(newest);
      onNewest(newest);
    }
    put(moved);
    judging.goOn();
    for (const { code, message, hint } of problemsOf({ ...moved, isTaken: state.taken === moved.tip }, settings))
      problems.set(code, message, hint);
    await this.#headJudged();
  }

  #headJudged(): Promise<void> {
    return this.#until(() => {
      const { head, judging, waiting } = this.#options.state;
      return head === null || ![judging, waiting.at(-1)].some((revision) => revision?.version === head.version);
    });
  }

  /** Resolves when it is so, or git fails, or all ends. */
  #until(isSo: () => boolean): Promise<void> {
    const { waiters, judging } = this.#options;
    return waiters.until(() => isSo() || judging.isStuck);
  }
}
