import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The environment for git in tests: no config files, a fixed identity, nothing inherited. */
export function gitEnv(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  const rest = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'));
  return {
    ...Object.fromEntries(rest),
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Test Author',
    GIT_AUTHOR_EMAIL: 'author@example.com',
    GIT_COMMITTER_NAME: 'Test Author',
    GIT_COMMITTER_EMAIL: 'author@example.com',
    ...extra,
  };
}

/** Runs the real git; resolves to its trimmed stdout. Rejects with git's message when it fails. */
export function git(
  cwd: string,
  args: readonly string[],
  options: { input?: string; env?: Record<string, string> } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const settings = { cwd, env: gitEnv(options.env), timeout: 60_000, maxBuffer: 64 * 1024 * 1024 };
    const child = execFile('git', args, settings, (error, stdout, stderr) => {
      if (error) reject(new Error(`git ${args.join(' ')}: ${stderr || error.message}`));
      else resolve(stdout.trim());
    });
    child.stdin?.on('error', () => undefined); // git exited first: its exit code is reported
    child.stdin?.end(options.input ?? '');
  });
}

/** A temporary folder (its real path), removed when its `await using` scope ends. */
export async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'shardplane-test-')));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** A real repository in a temporary folder. */
export interface TestRepository extends AsyncDisposable {
  readonly path: string;
  /** Runs git in it. */
  git(...args: string[]): Promise<string>;
  /** Writes files (by path from the root) without committing. */
  write(files: Record<string, string | Buffer>): Promise<void>;
  /** Writes files, commits all changes, and returns the new commit's SHA. */
  commit(files: Record<string, string | Buffer>, message?: string): Promise<string>;
}

/** Makes a real, empty repository on branch `main`: `await using repository = await makeRepository()`. */
export async function makeRepository({ bare = false, objectFormat = 'sha1' } = {}): Promise<TestRepository> {
  const folder = await temporaryFolder();
  const flags = [...(bare ? ['--bare'] : []), `--object-format=${objectFormat}`];
  await git(folder.path, ['init', '--quiet', '--initial-branch=main', ...flags]);
  return { ...repositoryAt(folder.path), [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

/** The same for an existing repository (a clone, a linked worktree). */
export function repositoryAt(path: string): Omit<TestRepository, typeof Symbol.asyncDispose> {
  const run = (...args: string[]): Promise<string> => git(path, args);
  const write = async (files: Record<string, string | Buffer>): Promise<void> => {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(path, name)), { recursive: true });
      await writeFile(join(path, name), content);
    }
  };
  const commit = async (files: Record<string, string | Buffer>, message = 'change'): Promise<string> => {
    await write(files);
    await run('add', '--all', '--force');
    await run('commit', '--quiet', '--allow-empty', '-m', message);
    return await run('rev-parse', 'HEAD');
  };
  return { path, git: run, write, commit };
}

/** Adds many commits to a branch in one process (git fast-import); returns the SHA of the last. */
export async function importCommits(
  path: string,
  { file, contents, branch = 'main' }: { file: string; contents: readonly string[]; branch?: string },
): Promise<string> {
  const ref = `refs/heads/${branch}`;
  const parent = await git(path, ['rev-parse', '--verify', '--quiet', ref]).catch(() => null);
  const commits = contents.map((content, at) => {
    const from = at === 0 && parent !== null ? `from ${parent}\n` : '';
    const message = `change ${at + 1}`;
    const head = `commit ${ref}\ncommitter Test Author <author@example.com> ${1_700_000_000 + at} +0000\ndata ${message.length}\n${message}\n`;
    return `${head}${from}M 100644 inline ${file}\ndata ${Buffer.byteLength(content)}\n${content}\n`;
  });
  await git(path, ['fast-import', '--quiet', '--force'], { input: commits.join('') });
  return await git(path, ['rev-parse', ref]);
}
