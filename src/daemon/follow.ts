import type { Logger } from 'pino';
import { join } from 'node:path';
import { RemoteSource } from '../git/follow/remote-source.ts';
import type { Revision } from '../git/read/revision.ts';
import { Source } from '../git/follow/source.ts';
import type { Moved, Outcomes, SourceEvent } from '../git/follow/source.ts';
import type { Status } from '../http/api.ts';
import type { Version } from '../ids.ts';
import type { Judge } from '../judge/judge.ts';
import { countWaiting, isIdle } from '../revisions/state.ts';
import type { Head, RevisionsState } from '../revisions/state.ts';
import type { RevisionEvent } from '../revisions/types.ts';
import type { Secrets } from '../secrets.ts';
import type { RepositorySettings } from '../settings/settings.ts';
import type { Judging } from './judging.ts';
import { problemsOf, reportTrouble } from './moves.ts';
import type { Problems } from './problems.ts';
import { checkSaved } from './saved.ts';
import type { Waiters } from './waiters.ts';

export interface FollowedRepository {
  readonly settings: RepositorySettings;
  /** Holds a remote's mirror. */
  readonly stateDirectory: string;
  /** The remote's secrets are added to these. */
  readonly secrets: Secrets;
  /** The tip that the first look compares with. */
  readonly since: string | null;
  readonly known: (versions: readonly Version[]) => Promise<Outcomes>;
  readonly onEvent: (event: SourceEvent) => Promise<void>;
}

/** Follows the repository, or a mirror of the remote. Throws GitError for an invalid remote URL. */
export function createSource({
  settings,
  stateDirectory,
  secrets,
  ...common
}: FollowedRepository): Source | RemoteSource {
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
  /** Changed by the controller alone. */
  readonly state: RevisionsState;
  /** Called with the newest revision, before anything is decided about it. */
  readonly onNewest: (revision: Revision) => void;
  readonly put: (event: RevisionEvent) => void;
}

/** Turns git's events and operators' commands into events of the revisions, and lets callers wait for the result. */
export class Follow {
  /** The saved file, when it differs from the commit. */
  working: Status['working'] = null;
  readonly #options: FollowOptions;

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  /** The first look at git: resolves when `isServed`, or when git has no release. */
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

  /** The number of revisions without a verdict, besides the head. */
  get waiting(): number {
    const { state } = this.#options;
    const { head, judging } = state;
    return countWaiting(state) - (judging !== null && judging.version === head?.version ? 1 : 0);
  }

  /** The head belongs to a rewritten history that nobody can accept. */
  get isRefused(): boolean {
    return this.#options.state.hold?.cause === 'refused-rewrite';
  }

  /** An operator accepts or retries the head; resolves when it was judged. */
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
    else if (event.type !== 'working-file') reportTrouble(event, { log, problems });
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

  /** Resolves when it is so, when git fails, or at shutdown. */
  #until(isSo: () => boolean): Promise<void> {
    const { waiters, judging } = this.#options;
    return waiters.until(() => isSo() || judging.isStuck);
  }
}
