import { checkSha } from '../exec/names.ts';
import type { Relation } from '../../revisions/movement.ts';
import type { GitRepository } from './repository.ts';
import { runGit } from '../exec/run.ts';

/**
 * The relation of `tip` to `base`; `lost` when `base` is not in the repository any more (collected after a rewrite).
 * Throws GitError as runGit.
 */
export async function relate(repository: GitRepository, base: string, tip: string): Promise<Relation | 'lost'> {
  if (checkSha(base) === checkSha(tip)) return 'same';
  const options = { gitDir: repository.gitDir, answers: [0, 1, 128] };
  const { stdout, exitCode } = await runGit(['merge-base', base, tip], options);
  const common = stdout.toString('latin1').trim();
  if (exitCode === 128) return await lostOrBroken(repository, base, tip);
  if (common === base) return 'descendant';
  return common === tip ? 'ancestor' : 'unrelated';
}

/** Whether a commit is in the history of another (or is the same); false when it is not in the repository. */
export async function isAncestor(repository: GitRepository, ancestor: string, of: string): Promise<boolean> {
  const relation = await relate(repository, ancestor, of);
  return relation === 'same' || relation === 'descendant';
}

async function lostOrBroken(repository: GitRepository, base: string, tip: string): Promise<'lost'> {
  const { exitCode } = await runGit(['cat-file', '-e', base], { gitDir: repository.gitDir, answers: [0, 1, 128] });
  if (exitCode !== 0) return 'lost';
  await runGit(['merge-base', base, tip], { gitDir: repository.gitDir }); // fails again, and says why
  return 'lost';
}
