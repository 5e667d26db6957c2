import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeClient } from '../envoy/support.ts';
import { startDaemon, type TestDaemon } from '../helpers/daemon.ts';
import { newestEnvoy, skipWithout } from '../helpers/envoy.ts';
import { makeRepository, temporaryFolder } from '../helpers/git.ts';
import { until } from '../helpers/until.ts';
import { file, startScene, versionOf } from './support.ts';

const good = 'shuffle_sharding: {total_hosts: 8, default_shard_size: 2}\n';
const bad = 'shuffle_sharding: {total_hosts: 8, default_shard_size: nine}\n';

describe('a first start', () => {
  test('the newest revision is invalid: the newest valid one is served, and the newest is told', async () => {
    await using repository = await makeRepository();
    await repository.commit({ [file]: good }, 'first');
    const valid = await repository.commit({ [file]: good.replace('8', '9') }, 'valid');
    await repository.commit({ [file]: 'nonsense' }, 'invalid too');
    const newest = await repository.commit({ [file]: bad }, 'invalid');
    await repository.commit({ 'README.md': 'hello' }, 'another file');
    await using folder = await temporaryFolder();
    await using daemon = await startDaemon({ repository: repository.path, folder: folder.path });
    const status = await daemon.waitFor('live', ({ live }) => live !== null);
    assert.equal(status.live!.version, valid);
    assert.equal(status.head!.version, newest);
    assert.equal(status.head!.outcome, 'invalid');
    assert.match(status.head!.diagnostics[0]!.message, /default_shard_size must be an integer/);
    assert.equal((await daemon.get('/readyz')).status, 200);
    assert.match((await daemon.logged(/^invalid/)).drawn!, /^shard-config\.yaml:1:\d+: error: /);
    assert.equal(daemon.log().filter(({ msg }) => msg.startsWith('invalid')).length, 1);
    const shown = await daemon.run('status');
    assert.match(
      shown.stdout,
      new RegExp(`^live +${valid.slice(0, 12)} +valid .*\\nhead +${newest.slice(0, 12)} +invalid +invalid\\n`, 'm'),
    );
  });

  test(
    'nothing valid yet: it runs, is healthy and not ready, and says why; Envoys use their own values',
    { skip: skipWithout(newestEnvoy) },
    async () => {
      await using scene = await startScene({ first: null });
      const { daemon, repository, envoy, client } = scene;
      await assertNotReady(daemon);
      assert.equal((await client.as('customer-A')).headers['x-shard-version'], 'fallback');
      const invalid = await repository.commit({ [file]: bad }, 'not yet');
      await daemon.waitFor('invalid', ({ head }) => head?.version === invalid && head.outcome === 'invalid');
      await assertNotReady(daemon);
      const sha = await scene.release({ size: 3 });
      assert.equal(await versionOf(envoy), sha);
      await scene.answers('customer-A', '3/4');
      assert.equal((await daemon.get('/readyz')).status, 200);
      await using second = await scene.launchEnvoy('second');
      using secondClient = makeClient(await second.port());
      assert.equal((await secondClient.as('customer-A')).headers['x-shard-config'], '3/4');
    },
  );

  test('an empty repository, and one without the file: both are said, with what to do', async () => {
    await using repository = await makeRepository();
    await using folder = await temporaryFolder();
    await using daemon = await startDaemon({ repository: repository.path, folder: folder.path });
    assert.deepEqual(await problemsOf(daemon, 'ref'), [
      'there is no commit yet on HEAD',
      'commit a shard-config.yaml: the daemon will pick it up',
    ]);
    await assertNotReady(daemon);
    const shown = await daemon.run('status');
    assert.match(shown.stdout, /^live +none yet\nhead +none yet\n/m);
    assert.match(shown.stdout, /problem since .*: there is no commit yet on HEAD\n +hint: commit a shard-config\.yaml/);

    await repository.commit({ 'README.md': 'hello' });
    assert.deepEqual(await problemsOf(daemon, 'file'), [
      'no commit of HEAD has shard-config.yaml',
      'commit a shard-config.yaml, or set repository.file',
    ]);
    await assertNotReady(daemon);
    const sha = await repository.commit({ [file]: good });
    const status = await daemon.waitForLive(sha);
    assert.deepEqual(status.problems, []);
    assert.equal(status.live!.proven, false);
    assert.equal((await daemon.get('/readyz')).status, 200);
  });

  test('no repository at the path yet: it waits for one', async () => {
    await using folder = await temporaryFolder();
    await using place = await temporaryFolder();
    await using repository = await makeRepository();
    const sha = await repository.commit({ [file]: good });
    const path = `${place.path}/clone`;
    await using daemon = await startDaemon({
      repository: path,
      folder: folder.path,
      settings: { repository: { poll: '1s' } },
    });
    const [message] = await problemsOf(daemon, 'repository');
    assert.match(message!, new RegExp(path));
    await assertNotReady(daemon);
    await repository.git('clone', '--quiet', repository.path, path);
    const status = await daemon.waitForLive(sha);
    assert.deepEqual(status.problems, []);
  });
});

async function assertNotReady(daemon: TestDaemon): Promise<void> {
  assert.equal((await daemon.get('/healthz')).status, 200);
  const { status, body } = await daemon.get('/readyz');
  assert.equal(status, 503);
  assert.deepEqual(JSON.parse(body), { ready: false, reasons: ['no release is served yet'] });
}

async function problemsOf(daemon: TestDaemon, code: string): Promise<(string | null)[]> {
  return until(`a problem ${code}`, async () => {
    const problem = (await daemon.status()).problems.find((each) => each.code === code);
    return problem && [problem.message, problem.hint];
  });
}
