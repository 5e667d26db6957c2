import { join } from 'node:path';
import type { ShardConfig } from '../config/config.ts';
import { findCommit } from '../git/read/revision-range.ts';
import { presentCommits } from '../git/read/present.ts';
import { resolveRef } from '../git/read/refs.ts';
import { openRepository, type GitRepository } from '../git/read/repository.ts';
import type { Revision } from '../git/read/revision.ts';
import { newestRevision, readRevisions } from '../git/read/revisions.ts';
import type { DaemonInfo } from '../http/api.ts';
import type { Version } from '../ids.ts';
import { Judge } from '../judge/judge.ts';
import { short } from '../release/short.ts';
import { readSchema } from '../settings/load.ts';
import type { Settings } from '../settings/settings.ts';
import { CliError } from './exit.ts';

/** A commit's config. */
export interface CommittedConfig {
  readonly version: string;
  readonly subject: string;
  readonly config: ShardConfig;
}

/** A repository that may have the commits: the daemon's own, or the one that the settings name. */
interface Place {
  readonly repository: GitRepository;
  readonly ref: string;
}

/** Reads the configs of commits from git, as the daemon does. */
export class Configs implements AsyncDisposable {
  readonly #places: readonly Place[];
  readonly #file: string;
  readonly #judge: Judge;

  /** Where it looks, in words. */
  readonly where: string;

  private constructor(places: readonly Place[], { repository }: Settings, file: string) {
    this.#places = places;
    this.#file = file;
    this.#judge = new Judge({ file, validate: readSchema(repository.schema) });
    this.where = places.map(({ repository: { path } }) => path).join(' or ');
  }

  /** `daemon`: the one that answers, or null. Throws GitError when no repository can be opened, and SettingsError. */
  static async open(settings: Settings, daemon: DaemonInfo | null): Promise<Configs> {
    const [places, failures]: [Place[], unknown[]] = [[], []];
    for (const { path, ref } of candidates(settings, daemon)) {
      const opened = await openRepository(path).catch((error: unknown) => error);
      if (!(opened instanceof Error)) places.push({ repository: opened as GitRepository, ref });
      else failures.push(opened);
    }
    if (places.length === 0) throw failures.at(-1);
    return new Configs(places, settings, daemon?.file ?? settings.repository.file);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#judge[Symbol.asyncDispose]();
  }

  /** What the ref has now. Throws CliError. */
  async atRef(): Promise<CommittedConfig> {
    for (const { repository, ref } of this.#places) {
      const tip = await resolveRef(repository, ref);
      if (tip !== null) return await this.#newest(repository, tip, ref);
    }
    throw new CliError(`${this.where} has no commit at ${this.#places.map(({ ref }) => ref).join(' or ')}`, {
      hint: 'name the ref with --ref, or the commit with --at SHA',
    });
  }

  /** What a commit has, be it one that changes the file or another. Throws CliError. */
  async at(sha: string): Promise<CommittedConfig> {
    for (const { repository } of this.#places) {
      const commit = await findCommit(repository, sha);
      if (commit !== null) return await this.#newest(repository, commit, short(sha));
    }
    throw new CliError(`${this.where} has no commit ${short(sha)}`, {
      hint: 'git fetch brings it, unless the history was rewritten; --repository names another clone',
    });
  }

  /** The configs of the given revisions, in that order; null where there is none to read. */
  async *each(versions: readonly string[]): AsyncGenerator<CommittedConfig | null> {
    const all = versions as readonly Version[];
    const first = this.#places[0];
    if (first === undefined) return;
    const { repository } = await this.#fullest(all, first);
    const present = await presentCommits(repository, all);
    const known = all.filter((version) => present.has(version));
    const pages = readRevisions(repository, this.#file, known);
    let page: Revision[] = [];
    for (const version of all) {
      if (!present.has(version)) {
        yield null;
        continue;
      }
      if (page.length === 0) page = await nextPage(pages);
      const revision = page.shift();
      yield revision === undefined ? null : await this.#judged(revision);
    }
  }

  async #fullest(versions: readonly Version[], first: Place): Promise<Place> {
    let [best, most] = [first, -1];
    for (const place of this.#places) {
      const { size } = await presentCommits(place.repository, versions);
      if (size > most) [best, most] = [place, size];
    }
    return best;
  }

  async #newest(repository: GitRepository, tip: string, name: string): Promise<CommittedConfig> {
    const revision = await newestRevision(repository, { tip, file: this.#file });
    if (revision === null)
      throw new CliError(`no commit of ${name} in ${repository.path} has ${this.#file}`, { hint: 'name it: --file' });
    const found = await this.#judged(revision);
    if (found !== null) return found;
    throw new CliError(`the config of ${short(revision.version)} (${name}) is not valid`, {
      hint: `git show ${short(revision.version)}:${this.#file} | shardplane check - says why`,
    });
  }

  async #judged({ version, subject, content }: Revision): Promise<CommittedConfig | null> {
    if ('fault' in content) return null;
    const { release } = await this.#judge.release(content.bytes, { version, subject });
    return release && { version, subject, config: release.config };
  }
}

async function nextPage(pages: AsyncIterator<Revision[], unknown>): Promise<Revision[]> {
  const next = await pages.next();
  return next.done === true ? [] : next.value;
}

/** A daemon's repository first, then what the settings name, where they differ. */
function candidates({ repository, state }: Settings, daemon: DaemonInfo | null): { path: string; ref: string }[] {
  const { remote, path, ref } = repository;
  const mirrorRef = (name: string): string => (name === 'HEAD' ? 'refs/remotes/origin/HEAD' : name);
  const all = [
    ...(daemon === null
      ? []
      : placesOf(daemon).map(({ path: at, isMirror }) => ({
          path: at,
          ref: isMirror ? mirrorRef(daemon.ref) : daemon.ref,
        }))),
    ...(remote === null ? [] : [{ path: join(state.directory, 'mirror.git'), ref: mirrorRef(remote.ref) }]),
    { path, ref },
  ];
  return all.filter((each, i) => all.findIndex(({ path: other }) => other === each.path) === i);
}

function placesOf({ repository, stateDirectory }: DaemonInfo): { path: string; isMirror: boolean }[] {
  return repository.startsWith('/')
    ? [{ path: repository, isMirror: false }]
    : [{ path: join(stateDirectory, 'mirror.git'), isMirror: true }];
}
