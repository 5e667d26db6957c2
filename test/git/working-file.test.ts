import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openRepository } from '../../src/git/repository.ts';
import { newestRevision } from '../../src/git/revisions.ts';
import { workingFileState } from '../../src/git/working-file.ts';
import { git, makeRepository, temporaryFolder } from '../helpers/git.ts';

const file = 'shard-config.yaml';

test('a saved file: the same, other line ends, edited, and everything that must not be read', async () => {
  await using repository = await makeRepository();
  const tip = await repository.commit({ [file]: 'a: 1\nb: 2\n' });
  const opened = await openRepository(repository.path);
  const committed = (await newestRevision(opened, { tip, file }))!.content;
  const path = join(repository.path, file);
  const state = async (): Promise<string> => {
    const found = await workingFileState(opened, file, committed);
    if (found === 'same') return found;
    return 'bytes' in found ? found.bytes.toString() : found.fault.code;
  };
  assert.equal(await state(), 'same');
  await writeFile(path, 'a: 1\r\nb: 2\r\n');
  assert.equal(await state(), 'same');
  await writeFile(path, 'a: 2\n');
  assert.equal(await state(), 'a: 2\n');
  await rm(path);
  assert.equal(await state(), 'file-missing');
  execFileSync('mkfifo', [path]);
  assert.equal(await state(), 'file-not-regular');
  await rm(path);
  await symlink('/dev/zero', path);
  assert.equal(await state(), 'file-not-regular');
  await rm(path);
  await mkdir(path);
  assert.equal(await state(), 'file-not-regular');
  await rm(path, { recursive: true });
  await writeFile(path, '');
  await truncate(path, 10 * 1024 ** 3);
  assert.equal(await state(), 'file-too-large');
});

test('a bare repository has nothing saved, and what was never there is no difference', async () => {
  await using folder = await temporaryFolder();
  await git(folder.path, ['init', '--quiet', '--bare', '.']);
  assert.equal(await workingFileState(await openRepository(folder.path), file, null), 'same');
  await using repository = await makeRepository();
  assert.equal(await workingFileState(await openRepository(repository.path), file, null), 'same');
});
