import { realpath } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { maxFileBytes } from '../../config/text.ts';
import { GitError } from '../exec/git-error.ts';
import { runGit } from '../exec/run.ts';

/** What HEAD has at the path of a file; null where it has nothing there, and outside of a repository. */
export async function readCommitted(path: string): Promise<Buffer | null> {
  const target = await realpath(path);
  try {
    // `./`: below the working directory
    const { stdout } = await runGit(['cat-file', 'blob', `HEAD:./${basename(target)}`], {
      cwd: dirname(target),
      maxOutputBytes: maxFileBytes + 1,
    });
    return stdout;
  } catch (error) {
    if (error instanceof GitError) return null;
    throw error;
  }
}
