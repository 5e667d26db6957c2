import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { GitError } from '../exec/git-error.ts';
import { GitExit, runGit } from '../exec/run.ts';

/** The paths of a local repository, all absolute and with links resolved. */
export interface GitRepository {
  /** As given, made absolute. */
  readonly path: string;
  /** HEAD is here; of a linked worktree, `<commonDir>/worktrees/<name>`. */
  readonly gitDir: string;
  /** Refs and objects are here. */
  readonly commonDir: string;
  /** Where the files are checked out, or null for a bare repository. */
  readonly topLevel: string | null;
}

/**
 * Finds the repository that holds `path` (follows `.git` files, linked worktrees, subfolders), with git's own check
 * of who owns it. Throws GitError: `git-missing`, `git-too-old`, `not-a-repository`, `dubious-ownership`.
 */
export async function openRepository(path: string): Promise<GitRepository> {
  const absolute = resolve(path);
  await checkGitVersion();
  await checkDirectory(absolute);
  const [gitDir = '', commonDir = '', inWorkTree] = await ask(absolute, [
    '--git-dir',
    '--git-common-dir',
    '--is-inside-work-tree',
  ]);
  const topLevel = inWorkTree === 'true' ? ((await ask(absolute, ['--show-toplevel']))[0] ?? null) : null;
  return { path: absolute, gitDir, commonDir, topLevel };
}

async function ask(path: string, questions: readonly string[]): Promise<string[]> {
  try {
    const { stdout } = await runGit(['rev-parse', '--path-format=absolute', ...questions], {
      cwd: path,
      maxOutputBytes: 64 * 1024,
    });
    return stdout.toString('utf8').split('\n').slice(0, -1);
  } catch (error) {
    throw error instanceof GitExit ? explain(error, path) : error;
  }
}

/** Why git refuses to open a repository, with what to do about it. */
function explain(error: GitExit, path: string): GitError {
  const output = error.stderr;
  if (output.includes('dubious ownership')) {
    const owned = /repository at '(.*)'/.exec(output)?.[1] ?? path;
    return new GitError(
      'dubious-ownership',
      `the repository at ${owned} belongs to another user, so git refuses to read it`,
      `chown it to the daemon's user, or tell git that it is trusted: git config --system --add safe.directory '${owned}'`,
    );
  }
  if (output.includes('cannot use bare repository')) {
    return new GitError(
      'not-a-repository',
      `${path} is a bare repository, and the user's safe.bareRepository=explicit forbids those`,
      'git config --global safe.bareRepository all',
    );
  }
  // git lists unknown extensions on lines of their own
  const other = (/fatal: (.*(?:\n\t.*)*)/.exec(output)?.[1] ?? error.message).replace(/\s*\n\s*/g, ' ');
  if (output.includes('not a git repository')) {
    return new GitError(
      'not-a-repository',
      `${path} is not in a git repository`,
      `git init ${path}, or set repository.path`,
    );
  }
  return new GitError(
    'not-a-repository',
    `git can't open the repository at ${path}: ${other}`,
    'a newer git may be able to, if an extension is named above',
  );
}

async function checkDirectory(path: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => error as NodeJS.ErrnoException);
  if (found instanceof Error) {
    const reason = found.code === 'ENOENT' ? 'does not exist' : `can't be read (${found.code ?? found.message})`;
    throw new GitError('not-a-repository', `${path} ${reason}`, 'set repository.path to a git repository');
  }
  if (!found.isDirectory())
    throw new GitError('not-a-repository', `${path} is not a directory`, 'set repository.path to a git repository');
}

let versionIsFine: Promise<void> | null = null;

/** An older git would silently ignore the config that makes hostile repositories harmless. Checked once. */
async function checkGitVersion(): Promise<void> {
  versionIsFine ??= runGit(['version']).then(({ stdout }) => checkVersion(stdout.toString('utf8')));
  try {
    await versionIsFine;
  } catch (error) {
    versionIsFine = null;
    throw error;
  }
}

/** Throws `git-too-old` for what `git version` prints when it is older than 2.31 (the first with GIT_CONFIG_COUNT). */
export function checkVersion(output: string): void {
  const [, major, minor] = /(\d+)\.(\d+)/.exec(output) ?? [];
  if (Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 31)) return;
  throw new GitError('git-too-old', `${output.trim() || 'this git'} is too old`, 'install git 2.31 or newer');
}
