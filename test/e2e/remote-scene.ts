import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startDaemon, type TestDaemon } from '../helpers/daemon.ts';
import { serveGit, type GitServer } from '../helpers/git-http.ts';
import { git, repositoryAt, temporaryFolder } from '../helpers/git.ts';
import { file } from './support.ts';

/** A working copy, a bare repository served over http, and a daemon that follows it: all real. */
export interface RemoteScene extends AsyncDisposable {
  readonly folder: string;
  readonly server: GitServer;
  /** The served repository. */
  readonly bare: Omit<ReturnType<typeof repositoryAt>, 'commit' | 'write'>;
  /** A developer's working copy of it. */
  readonly work: ReturnType<typeof repositoryAt>;
  readonly daemon: TestDaemon;
  /** Commits a config whose only change is `test.count`, and pushes it; returns its SHA. */
  push(count: number, ...flags: string[]): Promise<string>;
}

export interface RemoteSceneOptions {
  /** More for `repository.remote`. */
  readonly remote?: object;
  /** More for `repository`. */
  readonly repository?: object;
  /** More settings beside it. */
  readonly settings?: object;
  /** `user:password`, percent-encoded, of the server. */
  readonly login?: string;
  /** How many commits are pushed before the daemon starts. Default: 1. */
  readonly first?: number;
  /** Files beside the settings, which name them: by name, their text. */
  readonly files?: Readonly<Record<string, string>>;
}

/** A valid config; the number tells one from the other. */
export function config(count: number): string {
  return `shuffle_sharding:\n  total_hosts: 8\n  default_shard_size: 2\nruntime:\n  test.count: ${count}\n`;
}

/** Starts one. The daemon polls each 100 ms unless `remote` says otherwise. */
export async function startRemoteScene(options: RemoteSceneOptions = {}): Promise<RemoteScene> {
  const stack = new AsyncDisposableStack();
  try {
    const folder = stack.use(await temporaryFolder()).path;
    const { bare, work } = await makePair(folder);
    const push = async (count: number, ...flags: string[]): Promise<string> => {
      const sha = await work.commit({ [file]: config(count) }, `count ${count}`);
      await work.git('push', '--quiet', ...flags, 'origin', 'HEAD:main');
      return sha;
    };
    for (let count = 1; count <= (options.first ?? 1); count += 1) await push(count);
    const server = stack.use(await serveGit(join(folder, 'served')));
    server.login = options.login === undefined ? null : decodeURIComponent(options.login);
    const user = options.login === undefined ? '' : `${options.login}@`;
    const remote = {
      url: `http://${user}127.0.0.1:${server.port}/config.git`,
      poll: '100ms',
      timeout: '2s',
      ...options.remote,
    };
    for (const [name, text] of Object.entries(options.files ?? {})) await writeFile(join(folder, name), text);
    const settings = { ...options.settings, repository: { remote, ...options.repository } };
    const daemon = stack.use(await startDaemon({ folder, settings }));
    return { folder, server, bare, work, daemon, push, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function makePair(folder: string): Promise<Pick<RemoteScene, 'bare' | 'work'>> {
  const served = join(folder, 'served', 'config.git');
  const clone = join(folder, 'work');
  await mkdir(join(folder, 'served'));
  await git(folder, ['init', '--quiet', '--bare', '--initial-branch=main', served]);
  await git(folder, ['init', '--quiet', '--initial-branch=main', clone]);
  await git(clone, ['remote', 'add', 'origin', served]);
  return { bare: repositoryAt(served), work: repositoryAt(clone) };
}
