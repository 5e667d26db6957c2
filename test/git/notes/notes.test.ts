import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { GitError } from '../../../src/git/exec/git-error.ts';
import { Mirror } from '../../../src/git/mirror/mirror.ts';
import { NoteWriter } from '../../../src/git/notes/note-writer.ts';
import { writeNotes } from '../../../src/git/notes/notes.ts';
import { git, makeRepository, temporaryFolder, type TestRepository } from '../../helpers/git.ts';
import { until } from '../../helpers/until.ts';
import { remoteAt } from '../../helpers/remote.ts';

const file = 'shard-config.yaml';

function place(repository: { path: string }): { gitDir: string } {
  return { gitDir: join(repository.path, '.git') };
}

/** What `git log --notes=shardplane` shows of a commit. */
async function shown(path: string, version: string): Promise<string> {
  return await git(path, ['log', '-1', '--notes=shardplane', '--format=%N', version]);
}

async function noteCommits(repository: { path: string }): Promise<number> {
  return Number(await git(repository.path, ['rev-list', '--count', 'refs/notes/shardplane']));
}

test('a note is shown by git log, and is replaced by the next state; index and files stay as they are', async () => {
  await using repository = await makeRepository();
  const version = await repository.commit({ [file]: 'one' });
  await repository.write({ [file]: 'edited', staged: 'x' });
  await repository.git('add', 'staged');
  const status = await repository.git('status', '--porcelain');
  await writeFile(join(repository.path, '.git/index.lock'), '');
  await writeNotes(place(repository), new Map([[version, 'pending: 0 of 3 nodes']]));
  assert.equal(await shown(repository.path, version), 'pending: 0 of 3 nodes');
  await writeNotes(place(repository), new Map([[version, 'live: 3 of 3 nodes\n']]));
  await rm(join(repository.path, '.git/index.lock'));
  assert.equal(await shown(repository.path, version), 'live: 3 of 3 nodes');
  assert.equal(await repository.git('status', '--porcelain'), status);
  const author = await repository.git('log', '-1', '--format=%an <%ae> %cn', 'refs/notes/shardplane');
  assert.equal(author, 'shardplane <shardplane@localhost> shardplane');
  assert.equal(await repository.git('fsck', '--strict'), '');
});

test('many notes at once, beside those of others, with words that are no commands', async () => {
  await using repository = await makeRepository();
  const versions: string[] = [];
  for (let at = 0; at < 30; at++) versions.push(await repository.commit({ [file]: String(at) }));
  await repository.git('notes', '--ref=shardplane', 'add', '-m', 'by hand', versions[0]!);
  const text = (at: number): string => `rolled_back ${at}\ndone\ncommit refs/heads/main\nNACK: "größer"`;
  await writeNotes(place(repository), new Map(versions.slice(1).map((version, at) => [version, text(at)])));
  assert.equal(await shown(repository.path, versions[0]!), 'by hand');
  assert.equal(await shown(repository.path, versions[8]!), text(7));
  assert.equal(await noteCommits(repository), 2);
  assert.equal(await repository.git('rev-parse', 'main'), versions.at(-1));
});

test('eight writers at once lose nothing', async () => {
  await using repository = await makeRepository();
  const versions: string[] = [];
  for (let at = 0; at < 8; at++) versions.push(await repository.commit({ [file]: String(at) }));
  await Promise.all(versions.map((version) => writeNotes(place(repository), new Map([[version, `of ${version}`]]))));
  for (const version of versions) assert.equal(await shown(repository.path, version), `of ${version}`);
});

test('a commit that is gone is passed over', async () => {
  await using repository = await makeRepository();
  const version = await repository.commit({ [file]: 'one' });
  await writeNotes(
    place(repository),
    new Map([
      ['1'.repeat(40), 'lost'],
      [version, 'live'],
    ]),
  );
  assert.equal(await shown(repository.path, version), 'live');
  await writeNotes(place(repository), new Map([['1'.repeat(40), 'lost']]));
  assert.equal(await noteCommits(repository), 1);
});

test('a SHA-256 repository, and a hostile one whose hooks must not run', async () => {
  await using repository = await makeRepository({ objectFormat: 'sha256' });
  const version = await repository.commit({ [file]: 'one' });
  const canary = join(repository.path, 'canary');
  const hook = join(repository.path, '.git/hooks/reference-transaction');
  await mkdir(join(repository.path, '.git/hooks'), { recursive: true });
  await writeFile(hook, `#!/bin/sh\ntouch ${canary}\n`);
  await chmod(hook, 0o755);
  await writeNotes(place(repository), new Map([[version, 'live']]));
  assert.equal(await shown(repository.path, version), 'live');
  await assert.rejects(readFile(canary));
});

interface Written extends AsyncDisposable {
  readonly writer: NoteWriter;
  readonly problems: (GitError | null)[];
}

function write(gitDir: string, pushBy: Mirror | null = null): Written {
  const problems: (GitError | null)[] = [];
  const writer = new NoteWriter({
    repository: () => ({ gitDir }),
    pushBy,
    onProblem: (problem) => problems.push(problem),
    settleMs: 20,
  });
  return { writer, problems, [Symbol.asyncDispose]: () => writer.close() };
}

test('a burst becomes one commit, with the newest state of each', async () => {
  await using repository = await makeRepository();
  const versions: string[] = [];
  for (let at = 0; at < 10; at++) versions.push(await repository.commit({ [file]: String(at) }));
  await using written = write(place(repository).gitDir);
  for (const state of ['pending', 'live', 'superseded'])
    for (const version of versions) written.writer.set(version, state);
  await until('the notes', async () => (await shown(repository.path, versions[9]!)) === 'superseded');
  assert.equal(await noteCommits(repository), 1);
});

test('what waits is written at the end, and trouble is said once', async () => {
  await using repository = await makeRepository();
  const version = await repository.commit({ [file]: 'one' });
  const lock = join(repository.path, '.git/refs/notes/shardplane.lock');
  await mkdir(join(lock, '..'), { recursive: true });
  await writeFile(lock, '');
  const { writer, problems } = write(place(repository).gitDir);
  writer.set(version, 'live');
  await writer.flush();
  await writer.flush();
  await writer.flush();
  assert.deepEqual(
    problems.map((problem) => problem?.code),
    ['git-failed'],
  );
  await rm(lock);
  await writer.close();
  assert.equal(await shown(repository.path, version), 'live');
  assert.equal(problems.at(-1), null);
});

test('notes are pushed to the remote, on top of what others noted there meanwhile', async () => {
  await using folder = await temporaryFolder();
  await using repository = await makeRepository();
  const first = await repository.commit({ [file]: 'one' });
  const second = await repository.commit({ [file]: 'two' });
  const remote = remoteAt(`file://${repository.path}`);
  const mirrors = ['a', 'b'].map((name) => new Mirror({ directory: join(folder.path, name), remote }));
  for (const mirror of mirrors) {
    await mirror.prepare();
    await mirror.fetch();
  }
  await repository.git('notes', '--ref=shardplane', 'add', '-m', 'by hand', first);
  await using a = write(mirrors[0]!.path, mirrors[0]);
  await using b = write(mirrors[1]!.path, mirrors[1]);
  a.writer.set(second, 'of a');
  await a.writer.flush();
  b.writer.set(first, 'of b');
  await b.writer.flush();
  assert.equal(await shown(repository.path, first), 'of b');
  assert.equal(await shown(repository.path, second), 'of a');
  // both at once: whoever is late tries again
  await Promise.all(
    [a, b].map(async ({ writer }, at) => {
      writer.set([first, second][at]!, `again by ${at}`);
      await writer.flush();
    }),
  );
  await until(
    'both',
    async () =>
      (await shown(repository.path, first)) === 'again by 0' && (await shown(repository.path, second)) === 'again by 1',
  );
});

test('a remote that lets nobody push is said, and the note is here', async () => {
  await using folder = await temporaryFolder();
  await using repository = await makeRepository();
  const version = await repository.commit({ [file]: 'one' });
  const remote = remoteAt(repository.path);
  const mirror = new Mirror({ directory: join(folder.path, 'mirror'), remote });
  await mirror.prepare();
  await mirror.fetch();
  await refusePushes(repository);
  const { writer, problems } = write(mirror.path, mirror);
  writer.set(version, 'live');
  await writer.flush();
  await writer.flush();
  assert.equal(problems.length, 1);
  assert.match(problems[0]?.message ?? '', /push/);
  await writer.close();
  assert.equal(await shown(mirror.path, version), 'live');
});

async function refusePushes(repository: TestRepository): Promise<void> {
  const hook = join(repository.path, '.git/hooks/pre-receive');
  await mkdir(join(hook, '..'), { recursive: true });
  await writeFile(hook, '#!/bin/sh\necho "not you"\nexit 1\n');
  execFileSync('chmod', ['+x', hook]);
}
