import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeClient } from '../envoy/support.ts';
import { newestEnvoy, skipWithout } from '../helpers/envoy.ts';
import { createRandom } from '../helpers/random.ts';
import { until } from '../helpers/until.ts';
import { pushesTaken, rejections, startScene, startTraffic, versionOf, type Scene } from './support.ts';

const customers = { 'customer-A': 3 };

describe('a daemon or an Envoy that dies', { skip: skipWithout(newestEnvoy) }, () => {
  let scene: Scene;
  let live: string;
  before(async () => {
    scene = await startScene({ first: { customers: { 'customer-A': 2 } } });
    live = await scene.release({ customers });
    await scene.answers('customer-A', '3/4');
  });
  after(() => scene[Symbol.asyncDispose]());

  test('kill -9 of the daemon under traffic: no request fails, and nothing else is pushed', async () => {
    const { daemon, envoy, client } = scene;
    const before = await pushesTaken(envoy);
    const traffic = startTraffic(client);
    await traffic.atLeast(50);
    assert.equal(await daemon.kill('SIGKILL'), null);
    await traffic.atLeast(50);
    await daemon.restart();
    const { head: remembered } = await daemon.status();
    assert.equal(remembered!.version, live, 'the ledger knows the head before git is asked');
    const status = await daemon.waitFor('Envoy is back', ({ counts }) => counts.acked === 1);
    assert.equal(status.live!.version, live);
    assert.equal(status.live!.proven, true);
    assert.equal(status.head!.outcome, 'live');
    await traffic.atLeast(50);
    const answers = await traffic.stop();
    assert.deepEqual(
      answers.filter(({ status }) => status !== 200),
      [],
    );
    const seen = new Set(
      answers.map(({ headers }) => `${String(headers['x-shard-config'])} ${String(headers['x-shard-version'])}`),
    );
    assert.deepEqual([...seen], [`3/4 ${live.slice(0, 12)}`]);
    assert.equal(await versionOf(envoy), live);
    assert.equal(await rejections(envoy), 0);
    // what a new stream gets is the one version that it has
    assert.ok(before >= 2);
    assert.equal(await pushesTaken(envoy), before + 1);
    assert.match(
      (await daemon.logged(/from the ledger/)).msg,
      new RegExp(`^serving ${live.slice(0, 12)} change from the ledger`),
    );
  });

  test('a commit while the daemon is down goes live once it is up', async () => {
    const { daemon, envoy } = scene;
    await daemon.kill('SIGKILL');
    const sha = await scene.commit({ customers: { 'customer-A': 4 } }, 'while it was down');
    assert.equal((await scene.client.as('customer-A')).headers['x-shard-config'], '3/4');
    await daemon.restart();
    await daemon.waitFor('live', ({ live: now, counts }) => now?.version === sha && counts.acked === 1);
    assert.equal(await versionOf(envoy), sha);
    await scene.answers('customer-A', '4/4');
    live = sha;
  });

  test('an Envoy that starts has the right values on its first request', async () => {
    const { daemon } = scene;
    for (let i = 0; i < 3; i++) {
      await using envoy = await scene.launchEnvoy('another');
      using client = makeClient(await envoy.port());
      const { status, headers } = await client.as('customer-A');
      assert.deepEqual(
        [status, headers['x-shard-config'], headers['x-shard-version']],
        [200, '4/4', live.slice(0, 12)],
      );
      assert.equal(await versionOf(envoy), live);
      await daemon.waitFor('two nodes', ({ counts }) => counts.connected === 2 && counts.acked === 2);
      await envoy.stop();
      await daemon.waitFor('one node', ({ counts }) => counts.connected === 1);
    }
  });

  test('the daemon killed at any moment of a burst: the last commit is live in the end', async (t) => {
    const random = createRandom();
    t.diagnostic(`SHARDPLANE_SEED=${random.seed} has the same moments again`);
    const { daemon, envoy } = scene;
    let sha = '';
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 5; i++) sha = await scene.commit({ customers: { 'customer-A': 1 + ((i + round) % 4) } });
      await sleep(random.next() * 60); // somewhere between the look and the ACK
      await daemon.restart();
    }
    await daemon.waitFor('the last is live', ({ live: now, counts }) => now?.version === sha && counts.acked === 1);
    assert.equal(await versionOf(envoy), sha);
    assert.equal(await rejections(envoy), 0);
    const entries = await until('each has its outcome', async () => {
      const all = await daemon.history();
      return all.every(({ outcome }) => outcome !== null) ? all : null;
    });
    assert.equal(entries.filter(({ live: isLive }) => isLive).length, 1);
    assert.equal(entries[0]!.version, sha);
  });

  test('SIGTERM: it ends with 0, leaves nothing behind, and Envoy keeps serving', async () => {
    const { daemon, envoy, client } = scene;
    const before = await versionOf(envoy);
    const { headers } = await client.as('customer-A');
    const traffic = startTraffic(client);
    await traffic.atLeast(20);
    assert.equal(await daemon.kill('SIGTERM'), 0);
    await traffic.atLeast(50);
    const answers = await traffic.stop();
    assert.deepEqual(
      new Set(answers.map((answer) => `${answer.status} ${String(answer.headers['x-shard-config'])}`)),
      new Set([`200 ${String(headers['x-shard-config'])}`]),
    );
    assert.equal(await versionOf(envoy), before);
    assert.deepEqual(
      (await readdir(daemon.state)).filter((name) => !/^(ledger\.(sqlite|lock)|\.gitignore)$/.test(name)),
      [],
    );
    const said = daemon.log().map(({ msg }) => msg);
    const after = said.slice(said.lastIndexOf('SIGTERM: shutting down') + 1);
    assert.ok(after.length < said.length && after.every((msg) => / left$/.test(msg)), said.slice(-5).join('\n'));
    await daemon.restart();
    await daemon.waitFor('Envoy is back', ({ counts }) => counts.acked === 1);
  });
});
