import assert from 'node:assert/strict';
import { chown, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { GitError, type GitErrorCode } from '../../../src/git/exec/git-error.ts';
import { resolveRef } from '../../../src/git/read/refs.ts';
import { checkVersion, openRepository } from '../../../src/git/read/repository.ts';
import { git, makeRepository, temporaryFolder } from '../../helpers/git.ts';

async function refusal(path: string): Promise<[GitErrorCode, string | null]> {
  try {
    await openRepository(path);
  } catch (error) {
    if (error instanceof GitError) return [error.code, error.hint];
    throw error;
  }
  throw new Error(`${path} was opened`);
}

test('where the parts are: a working copy, its subfolder, a link to it, a bare one, a linked worktree', async () => {
  await using folder = await temporaryFolder();
  await using repository = await makeRepository();
  await repository.commit({ 'sub/file': 'x' });
  const gitDir = join(repository.path, '.git');
  const expected = { gitDir, commonDir: gitDir, topLevel: repository.path };
  await symlink(repository.path, join(folder.path, 'link'));
  for (const path of [repository.path, join(repository.path, 'sub'), join(folder.path, 'link')]) {
    assert.deepEqual(await openRepository(path), { path, ...expected });
  }
  const bare = join(folder.path, 'bare.git');
  await git(folder.path, ['init', '--quiet', '--bare', bare]);
  assert.deepEqual(await openRepository(bare), { path: bare, gitDir: bare, commonDir: bare, topLevel: null });
  const linked = join(folder.path, 'linked');
  await repository.git('worktree', 'add', '--quiet', '--detach', linked);
  assert.deepEqual(await openRepository(linked), {
    path: linked,
    gitDir: join(gitDir, 'worktrees/linked'),
    commonDir: gitDir,
    topLevel: linked,
  });
});

test('what is no repository says what to do', async () => {
  await using folder = await temporaryFolder();
  assert.deepEqual(await refusal(join(folder.path, 'nowhere')), [
    'not-a-repository',
    'set repository.path to a git repository',
  ]);
  await writeFile(join(folder.path, 'file'), '');
  assert.equal((await refusal(join(folder.path, 'file')))[0], 'not-a-repository');
  const [code, hint] = await refusal(folder.path);
  assert.equal(code, 'not-a-repository');
  assert.match(hint ?? '', /^git init /);
});

test('an extension that this git does not know', async () => {
  await using repository = await makeRepository();
  await repository.git('config', 'core.repositoryFormatVersion', '1');
  await repository.git('config', 'extensions.fromTheFuture', 'yes');
  const [code, hint] = await refusal(repository.path);
  assert.equal(code, 'not-a-repository');
  assert.match(hint ?? '', /newer git/);
  await assert.rejects(openRepository(repository.path), /unknown repository extension found: fromthefuture$/i);
});

test(
  "a repository of another user's is refused, with the way out",
  { skip: process.getuid?.() !== 0 && 'only root can give a folder away' },
  async () => {
    await using repository = await makeRepository();
    await repository.commit({ file: 'x' });
    for (const path of [repository.path, join(repository.path, '.git')]) await chown(path, 65534, 65534);
    const [code, hint] = await refusal(repository.path);
    assert.equal(code, 'dubious-ownership');
    assert.match(hint ?? '', new RegExp(`safe.directory '${repository.path}'`));
  },
);

test('git that is too old is refused', () => {
  for (const fine of ['git version 2.31.0', 'git version 2.39.5', 'git version 2.45.1.windows.1', 'git version 3.0'])
    checkVersion(fine);
  for (const old of ['git version 2.30.9', 'git version 1.8.3.1', '']) {
    assert.throws(
      () => checkVersion(old),
      (error) => error instanceof GitError && error.code === 'git-too-old',
      old,
    );
  }
});

test('refs: full, short, nested, absent, of tags of tags, and of what is no commit', async () => {
  await using repository = await makeRepository();
  const opened = await openRepository(repository.path);
  assert.equal(await resolveRef(opened, 'HEAD'), null);
  const first = await repository.commit({ file: 'x' });
  const second = await repository.commit({ file: 'y' });
  await repository.git('branch', 'release/1.2', first);
  await repository.git('tag', '-m', 'annotated', 'v1', first);
  await repository.git('tag', '-m', 'tag of a tag', 'v1-again', 'v1');
  await repository.git('tag', 'main', first);
  await repository.git('tag', 'blob', `HEAD:file`);
  await repository.git('pack-refs', '--all');
  const expected: [string, string | null][] = [
    ['HEAD', second],
    ['main', second],
    ['refs/heads/main', second],
    ['refs/tags/main', first],
    ['release/1.2', first],
    ['v1', first],
    ['v1-again', first],
    ['release', null],
    ['refs/heads/absent', null],
  ];
  for (const [ref, sha] of expected) assert.equal(await resolveRef(opened, ref), sha, ref);
  await assert.rejects(resolveRef(opened, 'blob'), /^GitError: blob of \S+ names a blob, not a commit$/);
  await repository.git('tag', '-m', 'a tag', 'tree-tag', 'HEAD^{tree}');
  await assert.rejects(
    resolveRef(opened, 'tree-tag'),
    /^GitError: tree-tag of \S+ names a tag of a tree, not a commit$/,
  );
  await assert.rejects(resolveRef(opened, '--all'), /not a ref name/);
});

test('a folder inside .git counts as the repository without files', async () => {
  await using repository = await makeRepository();
  await mkdir(join(repository.path, '.git/sub'));
  assert.equal((await openRepository(join(repository.path, '.git/sub'))).topLevel, null);
});
