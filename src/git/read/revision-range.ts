import { checkSha } from '../exec/names.ts';
import { GitError } from '../exec/git-error.ts';
import { runGit } from '../exec/run.ts';
import type { GitRepository } from './repository.ts';

/** Two commits, by their full SHAs. */
export interface RevisionRange {
  readonly base: string;
  readonly head: string;
}

/** Whether a text is a range of revisions, as in `main..HEAD` or `origin/main...`; what is left out is HEAD. */
export function isRange(text: string): boolean {
  return /^[^.].*\.\.|^\.\./.test(text) && !text.includes('/../') && !text.startsWith('../');
}

/**
 * The commits of `BASE..HEAD`; of `BASE...HEAD`, the commit at which the two parted, and the latter. Throws GitError `bad-ref` when there
 * is no such commit, and those of runGit.
 */
export async function resolveRange(repository: GitRepository, range: string): Promise<RevisionRange> {
  const [, base = '', dots = '', head = ''] = /^(.*?)(\.{2,3})(.*)$/.exec(range) ?? [];
  const commits = {
    base: await mustFind(repository, base || 'HEAD'),
    head: await mustFind(repository, head || 'HEAD'),
  };
  return dots === '...' ? { ...commits, base: await mergeBase(repository, commits, range) } : commits;
}

/** The commit that an expression names (as in git rev-parse); null: none. */
export async function findCommit({ gitDir }: GitRepository, expression: string): Promise<string | null> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${expression}^{commit}`];
  const { stdout, exitCode } = await runGit(args, { gitDir, answers: [0, 1, 128] });
  return exitCode === 0 ? checkSha(stdout.toString('utf8').trim()) : null;
}

async function mustFind(repository: GitRepository, expression: string): Promise<string> {
  const commit = await findCommit(repository, expression);
  if (commit !== null) return commit;
  const message = `${repository.path} has no commit ${JSON.stringify(expression)}`;
  throw new GitError('bad-ref', message, 'git log shows what there is; git fetch brings what a remote has');
}

async function mergeBase({ gitDir }: GitRepository, { base, head }: RevisionRange, range: string): Promise<string> {
  const { stdout, exitCode } = await runGit(['merge-base', base, head], { gitDir, answers: [0, 1] });
  if (exitCode === 0) return checkSha(stdout.toString('utf8').trim());
  throw new GitError('bad-ref', `the commits of ${range} have no common ancestor here`, 'git fetch --unshallow');
}
