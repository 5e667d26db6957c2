import { simpleGit, type SimpleGit } from 'simple-git';
import { gitEnvironment } from '../exec/environment.ts';
import { GitError } from '../exec/git-error.ts';
import { checkPath } from '../exec/names.ts';
import { hasFilter } from '../follow/working-file.ts';
import { symbolicTarget } from '../read/refs.ts';
import { openRepository } from '../read/repository.ts';

/** A file in a working copy, ready to be changed by a commit. */
export interface WorkingCopy {
  /** Where the files are checked out. */
  readonly topLevel: string;
  /** From there. */
  readonly file: string;
}

const timeoutMs = 20_000;

/**
 * The working copy whose file a commit may change: on the followed branch, the file committed and without edits, staged ones too.
 * Throws GitError `not-writable` with what to do, and as openRepository.
 */
export async function openWorkingCopy(
  path: string,
  { file, ref }: { file: string; ref: string },
): Promise<WorkingCopy> {
  const repository = await openRepository(path);
  const { topLevel } = repository;
  if (topLevel === null)
    throw notWritable(`${path} is a bare repository`, 'make the commit in a clone of it, and push');
  const copy = { topLevel, file: checkPath(file) };
  const branch = await symbolicTarget(repository);
  if (ref !== 'HEAD' && branch !== ref && branch !== `refs/heads/${ref}`)
    throw notWritable(
      `the working copy is on ${branch?.replace('refs/heads/', '') ?? 'no branch'}, and ${ref} is followed`,
      `git switch ${ref.replace('refs/heads/', '')}`,
    );
  if (await hasFilter(repository, file))
    throw notWritable(`${file} has a git filter, which this does not run`, 'edit and commit it by hand');
  await mustBeClean(copy);
  return copy;
}

async function mustBeClean({ topLevel, file }: WorkingCopy): Promise<void> {
  const args = ['status', '--porcelain=v1', '-z', '--untracked-files=all', '--ignored', '--', file];
  const state = await scrubbed(topLevel).raw(args);
  if (state === '') return;
  const words = /^(\?\?|!!)/.test(state) ? 'is not committed yet' : 'has edits that are not committed';
  throw notWritable(`${file} ${words}`, 'commit or undo them first (git diff HEAD shows them)');
}

/** Commits the saved file and nothing else, unsigned; the author is the user. No hook is run. Throws GitError. Returns the SHA. */
export async function commitFile({ topLevel, file }: WorkingCopy, message: string): Promise<string> {
  try {
    const git = scrubbed(topLevel);
    await git.raw(['commit', '--quiet', '--no-verify', '--no-gpg-sign', '--only', '-m', message, '--', file]);
    return (await git.raw(['rev-parse', 'HEAD'])).trim();
  } catch (error) {
    const words = error instanceof Error ? error.message.trim() : String(error);
    throw new GitError('git-failed', `git could not commit: ${words.slice(0, 500)}`, hintFor(words));
  }
}

function hintFor(words: string): string | null {
  if (/user\.(?:name|email)|empty ident/i.test(words)) return 'git config --global user.name, and user.email';
  return null;
}

function notWritable(message: string, hint: string): GitError {
  return new GitError('not-writable', message, hint);
}

/** Who commits is the user's, everything else of the environment is ours. */
const identity = ['GIT_AUTHOR_NAME', 'GIT_AUTHOR_EMAIL', 'GIT_COMMITTER_NAME', 'GIT_COMMITTER_EMAIL'];

function scrubbed(cwd: string): SimpleGit {
  const own = Object.fromEntries(identity.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
  const env = gitEnvironment(process.env, {
    // root@host is nobody
    config: [['user.useConfigOnly', 'true']],
    env: own,
  });
  return simpleGit({
    baseDir: cwd,
    timeout: { block: timeoutMs },
    // simple-git refuses variables that could make git run something; environment.ts sets them so that it does not
    unsafe: {
      allowUnsafeAskPass: true,
      allowUnsafeConfigEnvCount: true,
      allowUnsafeConfigPaths: true,
      allowUnsafeCredentialHelper: true,
      allowUnsafeDiffExternal: true,
      allowUnsafeEditor: true,
      allowUnsafeFsMonitor: true,
      allowUnsafeGitProxy: true,
      allowUnsafeGpgProgram: true,
      allowUnsafeHooksPath: true,
      allowUnsafePager: true,
      allowUnsafeProtocolOverride: true,
      allowUnsafeSshCommand: true,
    },
  }).env(env);
}
