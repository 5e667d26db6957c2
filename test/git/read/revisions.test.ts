import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { isGitError } from '../../../src/git/exec/git-error.ts';
import { resolveRef } from '../../../src/git/read/refs.ts';
import { openRepository, type GitRepository } from '../../../src/git/read/repository.ts';
import type { Revision } from '../../../src/git/read/revision.ts';
import { listRevisions, newestRevision } from '../../../src/git/read/revisions.ts';
import { importCommits, makeRepository, type TestRepository } from '../../helpers/git.ts';

const file = 'shard-config.yaml';

async function open(repository: TestRepository): Promise<GitRepository> {
  return await openRepository(repository.path);
}

async function newest(repository: TestRepository, path = file): Promise<Revision | null> {
  const opened = await open(repository);
  return await newestRevision(opened, { tip: (await resolveRef(opened, 'HEAD'))!, file: path });
}

function said(revision: Revision | null | undefined): string {
  if (!revision) return 'none';
  return 'bytes' in revision.content ? revision.content.bytes.toString() : revision.content.fault.code;
}

/** Where a loose object is kept. */
function objectPath(repository: TestRepository, object: string): string {
  return join(repository.path, '.git/objects', object.slice(0, 2), object.slice(2));
}

async function overwrite(path: string, bytes: Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await chmod(path, 0o644).catch(() => undefined);
  await writeFile(path, bytes);
}

test('a file that turns into a link, a directory, a submodule, and back', async () => {
  await using repository = await makeRepository();
  await repository.commit({ [file]: 'one', other: 'text' });
  const path = join(repository.path, file);
  await rm(path);
  await symlink('other', path);
  await repository.commit({});
  assert.equal(said(await newest(repository)), 'file-not-regular');
  await rm(path);
  await repository.commit({ [`${file}/inside`]: 'text' });
  assert.equal(said(await newest(repository)), 'file-not-regular');
  await repository.commit({ [`${file}/inside`]: 'changed' });
  assert.equal(said(await newest(repository)), 'file-not-regular');
  await repository.git('rm', '-r', '--quiet', file);
  await repository.git('update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},${file}`);
  await repository.git('commit', '--quiet', '-m', 'submodule');
  assert.equal(said(await newest(repository)), 'file-not-regular');
  await repository.git('rm', '--quiet', '--cached', file);
  await repository.git('commit', '--quiet', '-m', 'gone');
  assert.equal(said(await newest(repository)), 'file-missing');
  await repository.commit({ [file]: 'back' });
  await chmod(path, 0o755);
  await repository.commit({}, 'executable');
  assert.equal(said(await newest(repository)), 'back');
  const opened = await open(repository);
  const all = await listRevisions(opened, {
    tip: (await resolveRef(opened, 'HEAD'))!,
    file,
    exclude: null,
    limit: 100,
  });
  assert.deepEqual(all.map(said), [
    'back',
    'back',
    'file-missing',
    'file-not-regular',
    'file-not-regular',
    'file-not-regular',
    'file-not-regular',
    'one',
  ]);
});

test('a nested file: beside others, below a link, below a submodule', async () => {
  await using repository = await makeRepository();
  const nested = 'config/deep/shard.yaml';
  await repository.commit({ [nested]: 'one', 'config/deep/other': 'x' });
  assert.equal(said(await newest(repository, nested)), 'one');
  await repository.commit({ 'config/deep/other': 'y' });
  assert.equal((await newest(repository, nested))?.subject, 'change');
  await repository.git('mv', 'config', 'elsewhere');
  await symlink('elsewhere', join(repository.path, 'config'));
  await repository.commit({}, 'by a link');
  assert.equal(said(await newest(repository, nested)), 'file-missing');
  assert.equal(said(await newest(repository, 'elsewhere/deep/shard.yaml')), 'one');
  await repository.git('rm', '--quiet', '--cached', 'config');
  await repository.git('update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},config`);
  await repository.git('commit', '--quiet', '-m', 'submodule');
  assert.equal(said(await newest(repository, nested)), 'file-missing');
});

test('a renamed file is missing, and no other file is taken for it', async () => {
  await using repository = await makeRepository();
  await repository.commit({ [file]: 'one' });
  await repository.git('mv', file, 'renamed.yaml');
  const renamed = await repository.commit({});
  const revision = await newest(repository);
  assert.equal(said(revision), 'file-missing');
  assert.equal(revision?.version, renamed);
  assert.equal(said(await newest(repository, 'never.yaml')), 'none');
});

test('a path with the signs of a pattern is a path', async () => {
  await using repository = await makeRepository();
  await repository.commit({ 'a*.yaml': 'star', 'ab.yaml': 'b', ':(glob)x': 'magic' });
  await repository.commit({ 'ab.yaml': 'changed' }, 'not ours');
  assert.equal(said(await newest(repository, 'a*.yaml')), 'star');
  assert.equal((await newest(repository, 'a*.yaml'))?.subject, 'change');
  assert.equal(said(await newest(repository, ':(glob)x')), 'magic');
});

test('more than 16 MiB is not read, and 10 GB cost nothing', async () => {
  await using repository = await makeRepository();
  await repository.commit({ [file]: Buffer.alloc(16 * 1024 * 1024, 'x') });
  assert.equal(said(await newest(repository)).length, 16 * 1024 * 1024);
  await repository.commit({ [file]: Buffer.alloc(16 * 1024 * 1024 + 1, 'x') });
  assert.equal(said(await newest(repository)), 'file-too-large');
  // the header of an object of 10 GB, and none of its content: who reads more than the header, fails
  const object = 'ab'.repeat(20);
  await overwrite(objectPath(repository, object), deflateSync(Buffer.from(`blob ${10 * 1024 ** 3}\0x`)));
  await commitObject(repository, object);
  const revision = await newest(repository);
  assert.equal(said(revision), 'file-too-large');
  assert.match(JSON.stringify(revision?.content), /10737418240 bytes/);
});

/** Commits the file as a given object, without reading that. */
async function commitObject(repository: TestRepository, object: string): Promise<string> {
  await repository.git('update-index', '--add', '--cacheinfo', `100644,${object},${file}`);
  const tree = await repository.git('write-tree', '--missing-ok');
  const commit = await repository.git('commit-tree', '-p', 'HEAD', '-m', 'by object', tree);
  await repository.git('update-ref', 'HEAD', commit);
  return commit;
}

test('a missing, truncated, scrambled or exchanged blob is a fault of its revision alone', async () => {
  await using repository = await makeRepository();
  for (const content of ['one', 'two', 'three', 'four', 'five', 'six'])
    await repository.commit({ [file]: content.repeat(5000) });
  const path = async (at: string): Promise<string> =>
    objectPath(repository, await repository.git('rev-parse', `${at}:${file}`));
  const [two, three, four, five] = await Promise.all(['HEAD~4', 'HEAD~3', 'HEAD~2', 'HEAD~1'].map(path));
  await rm(two!);
  await overwrite(three!, (await readFile(three!)).subarray(0, 40));
  await overwrite(four!, Buffer.from('garbage'));
  await overwrite(five!, deflateSync(Buffer.from('blob 3\0bad')));
  const opened = await open(repository);
  const all = await listRevisions(opened, {
    tip: (await resolveRef(opened, 'HEAD'))!,
    file,
    exclude: null,
    limit: 100,
  });
  const missing = 'object-missing';
  assert.deepEqual(
    all.map((revision) => said(revision).slice(0, 14)),
    ['sixsixsixsixsi', missing, missing, missing, missing, 'oneoneoneoneon'],
  );
});

test('a hole in the history is an error that says so', async () => {
  await using repository = await makeRepository();
  const first = await repository.commit({ [file]: 'one' });
  const second = await repository.commit({ other: 'x' });
  const tip = await repository.commit({ other: 'y' });
  const opened = await open(repository);
  await rm(objectPath(repository, second));
  await assert.rejects(newestRevision(opened, { tip, file }), (error) => isGitError(error, 'object-missing'));
  await rm(objectPath(repository, tip));
  await assert.rejects(resolveRef(opened, 'main'), (error) => isGitError(error, 'object-missing'));
  await assert.rejects(resolveRef(opened, 'HEAD'), (error) => isGitError(error, 'object-missing'));
  assert.equal((await newestRevision(opened, { tip: first, file }))?.version, first);
});

test('words of a commit are cleaned and cut', async () => {
  await using repository = await makeRepository();
  await repository.commit({ [file]: '1' }, `\u001b[31mred\u001b[0m \u202egnp.exe ${'x'.repeat(100_000)}`);
  await repository.git(
    '-c',
    'user.name=Ünï \u001b[2J',
    '-c',
    'user.email=u@example.com',
    'commit',
    '--quiet',
    '--amend',
    '--no-edit',
    '--author=Ünï \u001b[2J <u@example.com>',
  );
  await repository.git('config', 'i18n.logOutputEncoding', 'ISO-8859-1');
  const revision = (await newest(repository))!;
  assert.equal(revision.subject.length, 200);
  // eslint-disable-next-line no-control-regex
  assert.doesNotMatch(revision.subject + revision.author, /[\u0000-\u001f\u202e]/);
  assert.match(revision.author, /^Ünï .* <u@example\.com>$/);
  assert.match(revision.committedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
});

test('a SHA-256 repository', async () => {
  await using repository = await makeRepository({ objectFormat: 'sha256' });
  const version = await repository.commit({ [file]: 'one' });
  assert.equal(version.length, 64);
  const revision = await newest(repository);
  assert.deepEqual([revision?.version, said(revision)], [version, 'one']);
});

test('paging, and a limit by content', async () => {
  await using repository = await makeRepository();
  const contents = Array.from({ length: 8 }, (_, at) => String(at).repeat(15 * 1024 * 1024));
  const tip = await importCommits(repository.path, { file, contents });
  const opened = await open(repository);
  const first = await listRevisions(opened, { tip, file, exclude: null, limit: 100 });
  assert.deepEqual(
    first.map((revision) => said(revision)[0]),
    ['7', '6', '5', '4'],
  );
  const second = await listRevisions(opened, { tip, file, exclude: null, limit: 2, skip: first.length });
  assert.deepEqual(
    second.map((revision) => said(revision)[0]),
    ['3', '2'],
  );
  assert.deepEqual(await listRevisions(opened, { tip, file, exclude: null, limit: 100, skip: 8 }), []);
});

test('replace refs and grafts do not change what a commit holds', async () => {
  await using repository = await makeRepository();
  const first = await repository.commit({ [file]: 'real' });
  const other = await repository.commit({ [file]: 'replaced' });
  await repository.git('replace', first, other);
  await writeFile(join(repository.path, '.git/info/grafts'), `${other}\n`);
  const opened = await open(repository);
  assert.equal(said(await newestRevision(opened, { tip: first, file })), 'real');
  const all = await listRevisions(opened, { tip: other, file, exclude: null, limit: 10 });
  assert.deepEqual(all.map(said), ['replaced', 'real']);
});

test('the bytes are the blob exactly', async () => {
  await using repository = await makeRepository();
  const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * 7919) % 256));
  await repository.commit({ [file]: bytes, '.gitattributes': '* text eol=crlf ident\n' });
  const revision = (await newest(repository))!;
  assert.ok('bytes' in revision.content);
  const object = await repository.git('rev-parse', `HEAD:${file}`);
  const read = revision.content.bytes;
  assert.equal(createHash('sha1').update(`blob ${read.length}\0`).update(read).digest('hex'), object);
});

/** What revision.rollout is for a commit with such a message. */
async function rolloutOf(message: string): Promise<string | null | undefined> {
  await using repository = await makeRepository();
  await repository.commit({ [file]: 'one' }, message);
  return (await newest(repository))?.rollout;
}

const asked: readonly [string, message: string, rollout: string | null][] = [
  ['a trailer', 'subject\n\nbody\n\nShardplane-Rollout: careful', 'careful'],
  ['any case, among others', 'subject\n\nSigned-off-by: A <a@b.c>\nshardplane-ROLLOUT:by-region\nX: y', 'by-region'],
  ['spaces around it', 'subject\n\nShardplane-Rollout:   careful  ', 'careful'],
  ['no trailer', 'subject\n\nbody', null],
  ['an empty one', 'subject\n\nShardplane-Rollout:', null],
  ['not in the last paragraph', 'subject\n\nShardplane-Rollout: careful\n\nand more text of the body', null],
  ['the subject', 'Shardplane-Rollout: careful', null],
  ['another key', 'subject\n\nX-Shardplane-Rollout: careful\nShardplane-Rollouts: careful', null],
  ['two', 'subject\n\nShardplane-Rollout: careful\nShardplane-Rollout: quick', 'careful,quick'],
  ['folded', 'subject\n\nShardplane-Rollout: careful\n and more', 'careful and more'],
  ['control characters', 'subject\n\nShardplane-Rollout: care\u001b[2Jful\u202e', 'care\ufffd[2Jful\ufffd'],
  ['long', `subject\n\nShardplane-Rollout: ${'x'.repeat(500)}`, `${'x'.repeat(62)}..`],
];
for (const [name, message, rollout] of asked)
  test(`Shardplane-Rollout: ${name}`, async () => assert.equal(await rolloutOf(message), rollout));

test('Shardplane-Accept and Shardplane-Rollout in one commit, beside commits without', async () => {
  await using repository = await makeRepository();
  await repository.commit({ [file]: 'one' });
  await repository.commit({ [file]: 'two' }, 'two\n\nShardplane-Rollout: careful\nShardplane-Accept: yes');
  await repository.commit({ [file]: 'three' });
  const opened = await open(repository);
  const tip = (await resolveRef(opened, 'HEAD'))!;
  const all = await listRevisions(opened, { tip, file, exclude: null, limit: 10 });
  assert.deepEqual(
    all.map(({ rollout, trailers }) => [rollout, trailers.get('shardplane-accept') ?? null]),
    [
      [null, null],
      ['careful', 'yes'],
      [null, null],
    ],
  );
  assert.deepEqual(all.map(said), ['three', 'two', 'one']);
});
