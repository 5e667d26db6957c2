import type { Version } from '../../ids.ts';
import { checkSha } from '../exec/names.ts';
import { runGit } from '../exec/run.ts';
import type { GitRepository } from './repository.ts';

/** Which of these commits the repository has: after a rewrite of the history, git may have collected some. Throws GitError. */
export async function presentCommits(
  { gitDir }: GitRepository,
  versions: readonly Version[],
): Promise<ReadonlySet<string>> {
  if (versions.length === 0) return new Set();
  const input = versions.map((version) => `${checkSha(version)}\n`).join('');
  const { stdout } = await runGit(['cat-file', '--batch-check=%(objectname) %(objecttype)'], { gitDir, input });
  const lines = stdout.toString('latin1').split('\n');
  return new Set(lines.filter((line) => line.endsWith(' commit')).map((line) => line.slice(0, -' commit'.length)));
}
