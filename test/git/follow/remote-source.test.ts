import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { GitError } from '../../../src/git/exec/git-error.ts';
import { nextWaitMs, RemoteSource, type RemoteSourceOptions } from '../../../src/git/follow/remote-source.ts';
import type { Moved, SourceEvent } from '../../../src/git/follow/source.ts';
import { git, importCommits, makeRepository, temporaryFolder, type TestRepository } from '../../helpers/git.ts';
import { serveGit, type GitServer } from '../../helpers/git-http.ts';
import { gitProcessesOf } from '../../helpers/processes.ts';
import { until } from '../../helpers/until.ts';
import { remoteAt } from '../../helpers/remote.ts';

const file = 'shard-config.yaml';

interface Followed extends AsyncDisposable {
  readonly source: RemoteSource;
  readonly events: SourceEvent[];
  readonly directory: string;
  /** `movement decision` of all moves so far. */
  moves(): string[];
  last(): Moved | undefined;
  failures(): string[];
}

interface FollowOptions extends Partial<Omit<RemoteSourceOptions, 'remote'>> {
  readonly remote?: Partial<RemoteSourceOptions['remote']>;
}

/** A source of a remote, whose poll is too slow to help unless a test says otherwise. Not started. */
async function follow(url: string, { remote = {}, ...options }: FollowOptions = {}): Promise<Followed> {
  const folder = await temporaryFolder();
  const events: SourceEvent[] = [];
  const directory = options.directory ?? join(folder.path, 'mirror.git');
  const source = new RemoteSource({
    directory,
    file,
    since: null,
    onRewrite: 'hold',
    onEvent: (event) => void events.push(event),
    ...options,
    remote: { ...remoteAt(url), pollMs: 3_600_000, jitter: 0, ...remote },
  });
  const moved = (): Moved[] => events.filter((event) => event.type === 'moved');
  const dispose = async (): Promise<void> => {
    await source.close();
    await folder[Symbol.asyncDispose]();
  };
  return {
    source,
    events,
    directory,
    moves: () => moved().map(({ movement, decision }) => `${movement} ${decision}`),
    last: () => moved().at(-1),
    failures: () => events.flatMap((event) => (event.type === 'failed' ? [`${event.part} ${event.error.code}`] : [])),
    [Symbol.asyncDispose]: dispose,
  };
}

function text(move: Moved | undefined): string {
  const content = move?.newest?.content;
  return content !== undefined && 'bytes' in content ? content.bytes.toString() : 'none';
}

async function served(): Promise<{ repository: TestRepository; server: GitServer; url: string } & AsyncDisposable> {
  const repository = await makeRepository();
  const server = await serveGit(repository.path);
  const dispose = async (): Promise<void> => {
    await server[Symbol.asyncDispose]();
    await repository[Symbol.asyncDispose]();
  };
  return { repository, server, url: `${server.origin}/.git`, [Symbol.asyncDispose]: dispose };
}

test('a moved ref of a remote is classified like a local one: what rewrites is held, until it is accepted', async () => {
  await using scene = await served();
  const { repository } = scene;
  await using followed = await follow(scene.url);
  await followed.source.check();
  assert.deepEqual(followed.moves(), ['absent keep']);
  await repository.commit({ [file]: 'one' });
  await followed.source.check();
  const second = await repository.commit({ [file]: 'two' });
  await followed.source.check();
  await repository.git('reset', '--quiet', '--hard', 'HEAD~1');
  await followed.source.check();
  await repository.git('checkout', '--quiet', '--orphan', 'unrelated');
  const forced = await repository.commit({ [file]: 'forced' });
  await repository.git('branch', '--force', 'main', 'unrelated');
  await followed.source.check();
  assert.equal(followed.last()?.previous, second);
  assert.equal(followed.source.accept(forced), true);
  await repository.git('branch', '--quiet', '-D', 'main');
  await followed.source.check();
  await repository.git('branch', 'main', forced);
  await followed.source.check();
  await repository.git('checkout', '--quiet', 'main');
  await repository.commit({ [file]: 'three' });
  await followed.source.check();
  assert.deepEqual(followed.moves(), [
    'absent keep',
    'created take',
    'fast-forward take',
    'rewind hold',
    'diverged hold',
    'deleted keep',
    'recreated take',
    'fast-forward take',
  ]);
  assert.equal(text(followed.last()), 'three');
  assert.deepEqual(followed.failures(), []);
});

test('it polls', async () => {
  await using scene = await served();
  await scene.repository.commit({ [file]: 'one' });
  await using followed = await follow(scene.url, { remote: { pollMs: 50, jitter: 0.5 } });
  await followed.source.check();
  await scene.repository.commit({ [file]: 'two' });
  await until('the second revision', () => text(followed.last()) === 'two');
});

test('a remote that is away is said once, what came before is told at once, and it recovers by itself', async () => {
  await using scene = await served();
  const tip = await scene.repository.commit({ [file]: 'one' });
  await using before = await follow(scene.url);
  await before.source.check();
  await before.source.close();
  scene.server.fault = (_request, response) => void response.writeHead(503).end();
  await using followed = await follow(scene.url, { directory: before.directory, since: tip, remote: { pollMs: 30 } });
  await followed.source.check();
  assert.deepEqual(followed.moves(), ['unchanged take']);
  await until('several fetches', () => scene.server.requests.length > 6);
  assert.deepEqual(followed.failures(), ['remote remote-unreachable']);
  await scene.repository.commit({ [file]: 'two' });
  scene.server.fault = null;
  await until('the second revision', () => text(followed.last()) === 'two');
  const types = followed.events.map((event) => event.type);
  await until('recovery', () => followed.events.some((event) => event.type === 'recovered'));
  assert.deepEqual(types.slice(0, 3), ['moved', 'failed', 'moved']);
});

test('a remote that was never reached says nothing about the ref', async () => {
  await using folder = await temporaryFolder();
  await using followed = await follow(join(folder.path, 'nowhere'), { directory: join(folder.path, 'mirror') });
  await followed.source.check();
  await followed.source.check();
  assert.deepEqual(followed.moves(), []);
  assert.deepEqual(followed.failures(), ['remote remote-not-found']);
});

test('a flood of requests becomes few fetches, the last of which sees all', async () => {
  await using scene = await served();
  await scene.repository.commit({ [file]: 'one' });
  await using followed = await follow(scene.url);
  await followed.source.check();
  const before = scene.server.requests.length;
  await scene.repository.commit({ [file]: 'two' });
  for (let at = 0; at < 500; at++) followed.source.post();
  await until('the second revision', () => text(followed.last()) === 'two');
  await Promise.all(Array.from({ length: 200 }, () => followed.source.check()));
  // one fetch for the flood, one that the first check() made, one for all the others; each of at most 3 requests
  assert.ok(scene.server.requests.length - before <= 9, `${scene.server.requests.length - before} requests`);
});

test(
  'closing in the middle of a fetch ends it at once',
  { skip: process.platform !== 'linux' && 'reads /proc' },
  async () => {
    await using scene = await served();
    scene.server.fault = () => undefined;
    await using followed = await follow(scene.url);
    const checking = followed.source.check();
    await until('git at work', async () => (await gitProcessesOf(followed.directory)).length > 0);
    await followed.source.close();
    await checking;
    // killed, and gone as soon as the kernel has taken them down
    await until('git to be gone', async () => (await gitProcessesOf(followed.directory)).length === 0);
    assert.deepEqual(followed.events, []);
  },
);

test('1,000 commits while the daemon was down', async () => {
  await using scene = await served();
  const since = await scene.repository.commit({ [file]: 'start' });
  const contents = Array.from({ length: 1000 }, (_, at) => `content ${at}`);
  const tip = await importCommits(scene.repository.path, { file, contents });
  await using followed = await follow(scene.url, { since });
  await followed.source.check();
  assert.deepEqual(
    [followed.last()?.movement, followed.last()?.revisions.length, followed.last()?.newest?.version],
    ['fast-forward', 1000, tip],
  );
});

test('damage in the mirror is never a verdict on a commit: it is made anew, and the commit told then', async () => {
  await using scene = await served();
  const first = await scene.repository.commit({ [file]: 'one' });
  const second = await scene.repository.commit({ [file]: 'two' });
  await using filled = await follow(scene.url);
  await filled.source.check();
  await filled.source.close();
  const mirror = filled.directory;
  await scramble(mirror, second);
  await using followed = await follow(scene.url, { directory: mirror, since: first, remote: { pollMs: 50 } });
  await followed.source.check();
  await until('the revision', () => text(followed.last()) === 'two');
  assert.ok(followed.events.some((event) => event.type === 'mirror-rebuilt'));
  const faults = followed.events
    .flatMap((event) => (event.type === 'moved' && event.newest ? [event.newest] : []))
    .filter(({ content }) => 'fault' in content);
  assert.deepEqual(faults, []);
});

test('a page of older revisions with a hole in it is damage, too: the mirror is made anew', async () => {
  await using scene = await served();
  const first = await scene.repository.commit({ [file]: 'one' });
  const second = await scene.repository.commit({ [file]: 'two' });
  await using followed = await follow(scene.url);
  await followed.source.check();
  await scramble(followed.directory, first);
  const older = () => followed.source.older(second, { skip: 0, limit: 2 });
  await assert.rejects(older, (error) => error instanceof GitError && error.code === 'object-missing');
  await followed.source.check();
  assert.ok(followed.events.some((event) => event.type === 'mirror-rebuilt'));
  assert.deepEqual(
    (await older()).map(({ version }) => version),
    [second, first],
  );
});

test('what the handler of an event fails with is no damage of the mirror', async () => {
  await using scene = await served();
  await scene.repository.commit({ [file]: 'one' });
  const events: SourceEvent[] = [];
  await using followed = await follow(scene.url, {
    onEvent: (event) => {
      events.push(event);
      if (event.type === 'moved') throw new GitError('bad-setting', 'the keyring is not there');
    },
  });
  for (let at = 0; at < 4; at++) await followed.source.check();
  const said = events.flatMap((event) => (event.type === 'failed' ? [`${event.part} ${event.error.code}`] : []));
  assert.deepEqual(said, ['repository bad-setting']);
  assert.ok(events.every(({ type }) => type !== 'mirror-rebuilt'));
});

test('the wait: the interval, then quickly again, then ever more slowly, never more than 5 minutes', () => {
  const wait = (failures: number, random = 0.5): number =>
    nextWaitMs({ pollMs: 10_000, jitter: 0.2, failures, random });
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5].map((failures) => wait(failures)),
    [10_000, 1000, 2000, 4000, 8000, 16_000],
  );
  assert.equal(wait(20), 300_000);
  assert.equal(wait(100_000), 300_000);
  assert.deepEqual([wait(0, 0), wait(0, 1)], [9000, 11_000]);
  assert.equal(nextWaitMs({ pollMs: 3_600_000, jitter: 0, failures: 50, random: 0 }), 3_600_000);
  assert.equal(nextWaitMs({ pollMs: 200, jitter: 0, failures: 1, random: 0 }), 200);
});

/** Damages the blob that a commit has for the file, and nothing else. */
async function scramble(mirror: string, commit: string): Promise<void> {
  const packs = join(mirror, 'objects/pack');
  for (const name of (await readdir(packs)).filter((each) => each.endsWith('.pack'))) {
    await rename(join(packs, name), join(mirror, 'moved.pack'));
    await unpack(mirror, join(mirror, 'moved.pack'));
  }
  const blob = await git(mirror, ['rev-parse', `${commit}:${file}`]);
  const path = join(mirror, 'objects', blob.slice(0, 2), blob.slice(2));
  await chmod(path, 0o644);
  await writeFile(path, 'scrambled');
}

async function unpack(mirror: string, pack: string): Promise<void> {
  const done = spawnSync('git', ['unpack-objects', '-q'], { cwd: mirror, input: await readFile(pack) });
  assert.equal(done.status, 0);
}
