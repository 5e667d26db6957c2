import { watch, type FSWatcher } from 'chokidar';
import { stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { GitRepository } from '../read/repository.ts';

/** What to watch, and what to call: whenever something may have changed, so each callback must be cheap or coalesced. */
export interface WatchOptions {
  readonly repository: GitRepository;
  /** As in the settings; with HEAD or a short name, all branches are watched. */
  readonly ref: string;
  readonly file: string;
  /** The ref may have moved. */
  readonly onCheck: () => void;
  /** The saved file may have changed. */
  readonly onWorkingFile: () => void;
  /** Everything is watched now. Called once, unless watching failed before. */
  readonly onReady?: () => void;
  /** Watching failed (out of inotify watches, for one); polling goes on. Called once. */
  readonly onError?: (error: Error) => void;
}

/** A running watch. */
export interface Watch {
  /** Whether this watches the repository that is at its path now; if not, close it and open a new one. */
  isCurrent(repository: GitRepository): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Watches the few places where git keeps a ref: HEAD, refs/, packed-refs, reftable/, of a linked worktree both its own
 * and the common ones; never objects/, and no *.lock. Calls `onCheck` once when it is set up, for what changed in the meantime.
 */
export async function watchRepository(options: WatchOptions): Promise<Watch> {
  const { repository, onCheck, onWorkingFile } = options;
  const before = await identity(repository);
  let failed = false;
  const onError = (error: unknown): void => {
    if (!failed) options.onError?.(error instanceof Error ? error : new Error(String(error)));
    failed = true;
  };
  let pending = repository.topLevel === null ? 1 : 2;
  const onReady = (): void => {
    pending -= 1;
    if (pending === 0 && !failed) options.onReady?.();
  };
  const settings = { ignoreInitial: true, atomic: false, followSymlinks: false };
  const refs = watch(refPlaces(repository), { ...settings, ignored: (path) => isIrrelevant(path, options) });
  refs.on('all', onCheck).on('ready', onCheck).on('ready', onReady).on('error', onError);
  const watchers: FSWatcher[] = [refs];
  if (repository.topLevel !== null) {
    const working = watch(join(repository.topLevel, options.file), {
      ...settings,
      ignored: (path) => path.endsWith('.lock'),
    });
    watchers.push(
      working.on('all', onWorkingFile).on('ready', onWorkingFile).on('ready', onReady).on('error', onError),
    );
  }
  return {
    isCurrent: async (now) => !failed && (await identity(now)) === before,
    close: async () => {
      await Promise.all(watchers.map((watcher) => watcher.close()));
    },
  };
}

function refPlaces({ gitDir, commonDir }: GitRepository): string[] {
  const own = [join(gitDir, 'HEAD'), join(gitDir, 'reftable')];
  return [...new Set([...own, ...['refs', 'packed-refs', 'reftable'].map((name) => join(commonDir, name))])];
}

/** In refs/, only branches and the ref itself matter: tags, remotes and notes may be many and change often. */
function isIrrelevant(path: string, { repository, ref }: WatchOptions): boolean {
  if (path.endsWith('.lock')) return true;
  const root = join(repository.commonDir, 'refs') + sep;
  if (!path.startsWith(root)) return false;
  const name = `refs/${path.slice(root.length).split(sep).join('/')}`;
  const wanted = ref.startsWith('refs/') ? [ref] : ['refs/heads', `refs/tags/${ref}`, `refs/remotes/${ref}`];
  return !wanted.some((want) => `${name}/`.startsWith(`${want}/`) || `${want}/`.startsWith(`${name}/`));
}

/** Device and inode of the directories: a repository that was deleted and created again has others. */
async function identity({ gitDir, commonDir, topLevel }: GitRepository): Promise<string> {
  const places = [gitDir, commonDir, join(commonDir, 'refs'), topLevel ?? gitDir];
  const found = await Promise.all(places.map((place) => stat(place, { bigint: true }).catch(() => null)));
  const ids = found.map((each) => (each === null ? '-' : `${each.dev}:${each.ino}:${each.birthtimeNs}`));
  return [gitDir, commonDir, topLevel, ...ids].join('\n');
}
