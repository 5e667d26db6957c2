import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startDaemon } from '../helpers/daemon.ts';
import { makeRepository, temporaryFolder } from '../helpers/git.ts';
import { until } from '../helpers/until.ts';
import { file } from './support.ts';

const text = (size: number) => `shuffle_sharding: {total_hosts: 8, default_shard_size: ${size}}\n`;

describe('a ledger in trouble', () => {
  test('damaged: it is set aside and said, and the daemon serves', async () => {
    await using repository = await makeRepository();
    await using folder = await temporaryFolder();
    const sha = await repository.commit({ [file]: text(2) });
    await using daemon = await startDaemon({ repository: repository.path, folder: folder.path });
    await daemon.waitForLive(sha);
    await daemon.kill('SIGKILL');
    for (const name of await readdir(daemon.state))
      if (/^ledger\.sqlite/.test(name)) await writeFile(join(daemon.state, name), 'not a database at all '.repeat(500));
    await daemon.restart();
    await daemon.waitForLive(sha);
    const said = await daemon.logged(/is not a valid ledger/);
    assert.equal(said.level, 'warn');
    assert.match(
      said.msg,
      /ledger\.sqlite is not a valid ledger \(.*\): it was renamed to .*ledger\.sqlite\.corrupt-\w+, and a new ledger was started/,
    );
    assert.ok((await readdir(daemon.state)).some((name) => name.includes('.corrupt-')));
    assert.equal((await daemon.get('/readyz')).status, 200);
    assert.deepEqual(
      (await daemon.history()).map(({ version, outcome }) => [version, outcome]),
      [[sha, 'live']],
    );
  });

  test('not to be written: the daemon serves and says so, is not ready, and recovers by itself', async () => {
    await using repository = await makeRepository();
    await using folder = await temporaryFolder();
    const first = await repository.commit({ [file]: text(2) });
    const blocked = join(folder.path, 'state', 'ledger.sqlite');
    await mkdir(blocked, { recursive: true });
    await using daemon = await startDaemon({ repository: repository.path, folder: folder.path });
    await daemon.waitForLive(first);
    const second = await repository.commit({ [file]: text(3) });
    const { problems } = await daemon.waitForLive(second);
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['ledger'],
    );
    assert.match(problems[0]!.message, /the ledger in .*state can't be written: .*; pushing goes on/);
    const { status, body } = await daemon.get('/readyz');
    assert.equal(status, 503);
    assert.match(body, /the ledger in .*state can't be written/);
    assert.equal(daemon.log().filter(({ msg }) => msg.includes("can't be written")).length, 1, 'said once');
    assert.match((await daemon.run('status')).stdout, /problem since .*the ledger in .* can't be written/);
    assert.match((await daemon.get('/metrics')).body, /^shardplane_problem\{code="ledger"\} 1$/m);

    await rmdir(blocked);
    // nothing else happens: it tries again by itself
    await until('ready', async () => (await daemon.get('/readyz')).status === 200, 20_000);
    assert.deepEqual((await daemon.status()).problems, []);
    await daemon.logged(/^resolved: the ledger/);
    await daemon.restart();
    assert.deepEqual(
      (await daemon.history()).map(({ version, outcome, live }) => [version, outcome, live]),
      [
        [second, 'live', true],
        [first, 'live', false],
      ],
    );
  });

  test('to be read only later, while git is away: what was live is served then, and not forgotten', async () => {
    await using repository = await makeRepository();
    await using folder = await temporaryFolder();
    const first = await repository.commit({ [file]: text(2) });
    await using daemon = await startDaemon({ repository: repository.path, folder: folder.path });
    await daemon.waitForLive(first);
    await daemon.kill('SIGTERM');
    const away = join(folder.path, 'away');
    await rename(daemon.state, away);
    await writeFile(daemon.state, 'not a directory');
    await rename(repository.path, `${repository.path}.away`);
    await daemon.restart();
    assert.equal((await daemon.status()).live, null);

    await rm(daemon.state);
    await rename(away, daemon.state);
    await daemon.waitForLive(first);
    await until('ready', async () => (await daemon.get('/readyz')).status === 200, 20_000);
    await daemon.kill('SIGTERM');
    await daemon.restart();
    const { live, head } = await daemon.status();
    assert.deepEqual([live?.version, head?.version, head?.outcome], [first, first, 'live']);
    await rename(`${repository.path}.away`, repository.path);
  });

  test('to be read only later: a history that was rewritten meanwhile is held all the same', async () => {
    await using repository = await makeRepository();
    await using folder = await temporaryFolder();
    const first = await repository.commit({ [file]: text(2) });
    const settings = { repository: { on_rewrite: 'hold' } };
    await using daemon = await startDaemon({ repository: repository.path, folder: folder.path, settings });
    await daemon.waitForLive(first);
    await daemon.kill('SIGTERM');
    const away = join(folder.path, 'away');
    await rename(daemon.state, away);
    await writeFile(daemon.state, 'not a directory');
    await writeFile(join(repository.path, file), text(3));
    await repository.git('commit', '--quiet', '--amend', '--all', '--message', 'rewritten');
    await rename(repository.path, `${repository.path}.away`);
    await daemon.restart();
    await rm(daemon.state);
    await rename(away, daemon.state);
    await daemon.waitForLive(first);
    await rename(`${repository.path}.away`, repository.path);
    const { live } = await daemon.waitFor('it is held', ({ head }) => head?.outcome === 'held');
    assert.equal(live?.version, first);
  });

  test('a read-only directory', { skip: process.getuid?.() === 0 && 'root may write anywhere' }, async () => {
    await using repository = await makeRepository();
    await using folder = await temporaryFolder();
    const sha = await repository.commit({ [file]: text(2) });
    await mkdir(join(folder.path, 'state'), { mode: 0o500 });
    await using daemon = await startDaemon({ repository: repository.path, folder: folder.path });
    await daemon.waitForLive(sha);
    assert.equal((await daemon.get('/readyz')).status, 503);
    await chmod(daemon.state, 0o700);
    await until('ready', async () => (await daemon.get('/readyz')).status === 200, 20_000);
  });

  test('a state directory that cannot be made: it serves all the same', async () => {
    await using repository = await makeRepository();
    await using folder = await temporaryFolder();
    const sha = await repository.commit({ [file]: text(2) });
    const state = join(folder.path, 'state');
    await writeFile(state, 'a file is in its place');
    await using daemon = await startDaemon({ repository: repository.path, folder: folder.path });
    await daemon.waitForLive(sha);
    const { status, body } = await daemon.get('/readyz');
    assert.equal(status, 503);
    assert.match(body, /can't be written: .*(EEXIST|ENOTDIR)/);
    assert.match((await daemon.logged(/^no control socket/)).msg, /retry, accept and sync do not work/);
    await rm(state);
    await until('ready', async () => (await daemon.get('/readyz')).status === 200, 20_000);
  });
});
