import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { DaemonInfo, Status } from '../../src/http/api.ts';
import { shardplane, startDaemon, type TestDaemon } from '../helpers/daemon.ts';
import { gitEnv, makeRepository, temporaryFolder, type TestRepository } from '../helpers/git.ts';
import { until } from '../helpers/until.ts';
import { file } from './support.ts';

const text = (customers: number, size = 2): string =>
  `shuffle_sharding:\n  total_hosts: 8\n  default_shard_size: ${size}\n  customer:\n${Array.from(
    { length: customers },
    (_, at) => `    c${at}: {shard_size: 3}\n`,
  ).join('')}`;

describe('what commands tell by their exit codes', () => {
  const stack = new AsyncDisposableStack();
  let repository: TestRepository;
  let daemon: TestDaemon;
  before(async () => {
    repository = stack.use(await makeRepository());
    const folder = stack.use(await temporaryFolder()).path;
    const sha = await repository.commit({ [file]: text(4) }, 'first');
    daemon = stack.use(await startDaemon({ repository: repository.path, folder }));
    await daemon.waitForLive(sha);
  });
  after(() => stack.disposeAsync());

  test('all is well: 0', async () => {
    for (const args of [['status'], ['status', '--exit-code'], ['sync'], ['sync', '--wait'], ['sync', '--wait', '5s']])
      assert.equal((await daemon.run(...args)).code, 0, args.join(' '));
  });

  test('an invalid commit: sync and status --exit-code end with 1, and say what is wrong', async () => {
    const sha = await repository.commit({ [file]: text(4, 9) }, 'too big');
    const synced = await daemon.run('sync', '--wait', '5s');
    assert.equal(synced.code, 1);
    assert.match(synced.stdout, /default_shard_size: 9\n/);
    assert.equal(synced.stderr, `error: ${sha.slice(0, 12)} is invalid: it is not pushed\n`);
    assert.equal((await daemon.run('status', '--exit-code')).code, 1);
    assert.equal((await daemon.run('status')).code, 0);
    const json = await daemon.json<{ ok: boolean; fault: string; head: Status['head'] }>('sync');
    assert.deepEqual([json.ok, json.head?.outcome], [true, 'invalid']);
    assert.match(json.fault, /is invalid/);
  });

  test('a held commit: 1, until accept HEAD lets it through', async () => {
    const sha = await repository.commit({ [file]: text(1) }, 'drop them');
    const held = await daemon.run('sync');
    assert.equal(held.code, 1);
    assert.match(held.stderr, /is held: it waits for you/);
    const accepted = await daemon.run('accept', 'HEAD', '--wait');
    assert.equal(accepted.code, 0, accepted.stderr);
    assert.match(accepted.stdout, new RegExp(`^${sha.slice(0, 12)} is accepted$`, 'm'));
    assert.match(accepted.stdout, new RegExp(`^head {3}${sha.slice(0, 12)} .* live$`, 'm'));
  });

  test('a repository that has gone away is a problem: 1', async () => {
    const [git, away] = [join(repository.path, '.git'), join(repository.path, 'away')];
    await rename(git, away);
    try {
      assert.equal((await daemon.run('sync')).code, 1);
      assert.equal((await daemon.run('status', '--exit-code')).code, 1);
    } finally {
      await rename(away, git);
    }
    await until('it is over', async () => (await daemon.run('sync')).code === 0);
  });

  test('what makes no sense is a usage error', async () => {
    for (const args of [
      ['sync', '--wait', 'soon'],
      ['sync', '--wait', '0s'],
      ['status', '--watch', '0'],
      ['status', '--watch', '--exit-code'],
      ['status', '--limit', '0'],
      ['accept', 'head'],
    ])
      assert.equal((await daemon.run(...args)).code, 2, args.join(' '));
  });

  test('status --watch tells each change, and that the daemon is gone', async () => {
    const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
    const args = [main, 'status', '--watch', '0.1', '--repository', repository.path, '--state', daemon.state];
    const child = spawn(process.execPath, args, { cwd: '/', env: gitEnv({}), stdio: 'pipe' });
    let told = '';
    child.stdout.on('data', (chunk: Buffer) => (told += chunk.toString()));
    try {
      await until('it tells', () => told.includes('drop them'));
      await repository.commit({ [file]: text(2) }, 'one more');
      await until('it tells the change', () => told.includes('one more  live'));
      await daemon.kill('SIGTERM');
      await until('it tells that it is gone', () => /^error: .*no daemon answers|stopped answering/m.test(told));
      await daemon.restart();
      await until('it is back', () => /error: [^]*one more {2}live/.test(told));
      assert.ok(!told.includes('\u001b'), 'no colour, nothing moves');
    } finally {
      child.kill('SIGKILL');
    }
  });
});

describe('which daemon is meant', () => {
  const stack = new AsyncDisposableStack();
  let one: TestRepository;
  let other: TestRepository;
  let folder: string;
  let daemon: TestDaemon;
  before(async () => {
    one = stack.use(await makeRepository());
    other = stack.use(await makeRepository());
    folder = stack.use(await temporaryFolder()).path;
    await one.commit({ [file]: text(1) }, 'first');
    await other.commit({ [file]: text(1) }, 'other');
    daemon = stack.use(await startDaemon({ repository: one.path, folder }));
  });
  after(() => stack.disposeAsync());

  const run = (...args: string[]) => shardplane(args, { cwd: other.path });

  test('one that follows another repository, ref or file is refused, by its socket and by its port', async () => {
    const state = ['--state', daemon.state];
    const port = ['--http-port', String(daemon.httpPort)];
    const differing = [
      [...state, '--repository', other.path],
      [...state, '--ref', 'release'],
      [...state, '--file', 'other.yaml'],
      [...port, '--repository', other.path],
    ];
    for (const flags of differing)
      for (const command of [['status'], ['history'], ['explain', 'c0']]) {
        const ended = await run(...command, ...flags);
        assert.equal(ended.code, 1, [...command, ...flags].join(' '));
        assert.match(ended.stderr, /^error: the daemon at .* follows .*, not .*\n {2}hint: /);
        assert.ok(ended.stderr.includes(one.path), ended.stderr);
      }
    for (const command of [['sync'], ['retry', 'HEAD'], ['accept', 'HEAD']])
      assert.match((await run(...command, ...state, '--repository', other.path)).stderr, /follows .*, not /);
  });

  test('a default port with another repository’s daemon on it is refused', async () => {
    await writeFile(join(other.path, 'shardplane.yaml'), `http: {port: ${daemon.httpPort}}\n`);
    const ended = await run('status');
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, new RegExp(`the daemon at http://127.0.0.1:${daemon.httpPort} follows ${one.path}`));
    assert.ok(ended.stderr.includes(`not ${other.path}`));
  });

  test('a port that is named is the one that is asked, and one that differs is not passed over', async () => {
    const nobody = await shardplane(['status', '--http-port', '1'], { cwd: folder });
    assert.match(nobody.stderr, /^error: no daemon answers at http:\/\/127\.0\.0\.1:1 \(ECONNREFUSED\)/);
    const differs = await shardplane(['sync', '--state', daemon.state, '--http-port', '1'], { cwd: folder });
    assert.match(differs.stderr, new RegExp(`has --http-port ${daemon.httpPort}, not 1`));
    const xds = await shardplane(['status', '--state', daemon.state, '--xds-port', '1'], { cwd: folder });
    assert.match(xds.stderr, new RegExp(`has --xds-port ${daemon.xdsPort}, not 1`));
    const port = ['--http-port', String(daemon.httpPort)];
    const state = await shardplane(['status', '--state', join(folder, 'none'), ...port], { cwd: folder });
    assert.match(state.stderr, new RegExp(`has --state ${daemon.state}, not ${folder}/none`));
    const named = await shardplane(['status', '--http-port', String(daemon.httpPort)], { cwd: folder });
    assert.equal(named.code, 0, named.stderr);
  });

  test('another name of the same repository is the same', async () => {
    const inside = join(one.path, 'deep');
    await mkdir(inside);
    await symlink(one.path, join(folder, 'link'));
    for (const repository of [inside, join(folder, 'link'), `${one.path}/`])
      assert.equal((await run('status', '--state', daemon.state, '--repository', repository)).code, 0, repository);
  });

  test('what is no daemon is not taken for one', async () => {
    const server = createServer((_, response) => response.end('<html>hello</html>'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const port = String((server.address() as AddressInfo).port);
    const ended = await shardplane(['status', '--http-port', port], { cwd: folder });
    server.close();
    assert.equal(ended.code, 1);
    assert.match(
      ended.stderr,
      /^error: what answers at http:\/\/127\.0\.0\.1:\d+ is not a shardplane daemon\n {2}hint: /,
    );
  });

  test('it says which it is: version, repository, ports', async () => {
    const { daemon: info } = await daemon.status();
    assert.match(info.version, /^\d+\.\d+\.\d+/);
    assert.deepEqual(
      [info.repository, info.ref, info.file, info.xdsPort, info.httpPort, info.pid],
      [one.path, 'HEAD', file, daemon.xdsPort, daemon.httpPort, daemon.pid],
    );
    const alone = JSON.parse((await daemon.get('/api/v1/daemon')).body) as DaemonInfo;
    assert.deepEqual(alone, info);
  });
});
