import { checkSha } from '../exec/names.ts';
import { runGit } from '../exec/run.ts';
import type { GitRepository } from './repository.ts';

/** The commit that an expression names (as in git rev-parse); null: none. */
export async function findCommit({ gitDir }: GitRepository, expression: string): Promise<string | null> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${expression}^{commit}`];
  const { stdout, exitCode } = await runGit(args, { gitDir, answers: [0, 1, 128] });
  return exitCode === 0 ? checkSha(stdout.toString('utf8').trim()) : null;
}
