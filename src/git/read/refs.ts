import { join } from 'node:path';
import { GitError } from '../exec/git-error.ts';
import { checkRef, checkSha } from '../exec/names.ts';
import { readRegularFile } from './regular-file.ts';
import type { GitRepository } from './repository.ts';
import { GitExit, runGit } from '../exec/run.ts';

/**
 * The commit that a ref names, or null while there is no such ref (an unborn branch too). Of a branch and a tag with
 * one name, the branch is meant. Throws GitError: `bad-ref` (not a name, or not a commit), `ref-broken`,
 * `object-missing`, and those of runGit.
 */
export async function resolveRef(repository: GitRepository, ref: string): Promise<string | null> {
  return ref === 'HEAD' ? await resolveHead(repository) : await resolveName(repository, ref);
}

/** A rebase may begin or end between two reads: read again to tell it from a HEAD that somebody detached. */
async function resolveHead(repository: GitRepository): Promise<string | null> {
  for (let attempt = 1; attempt <= headAttempts; attempt += 1) {
    const branch = await symbolicTarget(repository);
    if (branch !== null) return await resolveName(repository, branch);
    const paused = await pausedAt(repository);
    if (paused !== null) return paused.startsWith('refs/') ? await resolveName(repository, paused) : paused;
    const head = await parse(repository, 'HEAD^{commit}');
    if ((await symbolicTarget(repository)) !== null || (await pausedAt(repository)) !== null) continue;
    if (head !== null) return head;
    throw new GitError(
      'object-missing',
      `HEAD of ${repository.path} names a commit that is not there`,
      'git fsck says what is damaged',
    );
  }
  throw new GitError('git-failed', `HEAD of ${repository.path} keeps changing`, 'it is retried automatically');
}

const headAttempts = 5;

/**
 * Where HEAD was before a rebase or a bisect, which moves it through commits that nobody meant to publish: the branch's
 * full name, or a SHA where HEAD was detached; null when neither is in progress.
 */
async function pausedAt({ gitDir }: GitRepository): Promise<string | null> {
  const read = (name: string): Promise<string | null> => readSmallFile(join(gitDir, name));
  const [merge, apply, bisect] = await Promise.all(
    ['rebase-merge/head-name', 'rebase-apply/head-name', 'BISECT_START'].map(read),
  );
  const name = merge ?? apply ?? bisect ?? null;
  if (name === null || name.startsWith('refs/')) return name;
  const detached =
    name === 'detached HEAD' ? await read(merge === null ? 'rebase-apply/orig-head' : 'rebase-merge/orig-head') : name;
  if (detached === null) return null;
  return /^[0-9a-f]{40,64}$/.test(detached) ? detached : `refs/heads/${detached}`;
}

/** The branch that HEAD points to (`refs/heads/main`), even if unborn; null when it is detached. */
export async function symbolicTarget({ gitDir }: GitRepository): Promise<string | null> {
  try {
    const { stdout, exitCode } = await runGit(['symbolic-ref', '--quiet', 'HEAD'], { gitDir, answers: [0, 1] });
    return exitCode === 0 ? stdout.toString('utf8').trim() : null;
  } catch (error) {
    // git can't say it when the branch's own file is damaged
    const branch = /^ref: (refs\/.+)/.exec((await readSmallFile(join(gitDir, 'HEAD'))) ?? '')?.[1];
    if (branch === undefined) throw error;
    return branch;
  }
}

async function readSmallFile(path: string): Promise<string | null> {
  const file = await readRegularFile(path, 4096).catch(() => null);
  return file !== null && typeof file === 'object' && 'bytes' in file ? file.bytes.toString('utf8').trim() : null;
}

async function resolveName(repository: GitRepository, ref: string): Promise<string | null> {
  const candidates = fullNames(checkRef(ref)); // also where it is from HEAD's file: that is not ours
  const found = await listRefs(repository, candidates);
  const best = candidates.map((name) => found.get(name)).find((value) => value !== undefined);
  if (best === undefined) return null;
  if (best.type === 'commit') return best.sha;
  const commit = await parse(repository, `${best.sha}^{commit}`);
  if (commit === null)
    throw new GitError(
      'bad-ref',
      `${ref} of ${repository.path} names a ${best.type}, not a commit`,
      'set the ref to a branch, or move it to a commit',
    );
  return commit;
}

/** What a short name may mean, best first: the branch before the tag (git itself would take the tag). */
function fullNames(ref: string): string[] {
  if (ref.startsWith('refs/')) return [ref];
  return ['refs/heads/', 'refs/tags/', 'refs/remotes/', 'refs/'].map((prefix) => prefix + ref);
}

async function listRefs(
  repository: GitRepository,
  names: readonly string[],
): Promise<Map<string, { sha: string; type: string }>> {
  const args = ['for-each-ref', '--format=%(refname) %(objectname) %(objecttype) %(*objecttype)', ...names];
  const { stdout, stderr } = await runGit(args, { gitDir: repository.gitDir }).catch((error: unknown) => {
    throw error instanceof GitExit && /missing object|bad object/.test(error.stderr)
      ? new GitError(
          'object-missing',
          `a ref names an object that is not there: ${error.message}`,
          'git fsck says what is damaged',
        )
      : error;
  });
  const broken = names.find((name) => stderr.includes(`ignoring broken ref ${name}\n`));
  if (broken !== undefined) {
    throw new GitError(
      'ref-broken',
      `${broken} of ${repository.path} holds no commit (an empty or damaged file)`,
      `echo COMMIT > '${join(repository.commonDir, broken)}' writes it anew; the end of '${join(repository.commonDir, 'logs', broken)}' shows where it was`,
    );
  }
  const lines = stdout.toString('utf8').split('\n').slice(0, -1);
  return new Map(
    lines.map((line) => {
      const [name = '', sha = '', type = '', target = ''] = line.split(' ');
      return [name, { sha, type: target === '' ? type : `${type} of a ${target}` }];
    }),
  );
}

async function parse(repository: GitRepository, expression: string): Promise<string | null> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', expression];
  const { stdout, exitCode } = await runGit(args, { gitDir: repository.gitDir, answers: [0, 1] });
  return exitCode === 0 ? checkSha(stdout.toString('utf8').trim()) : null;
}
