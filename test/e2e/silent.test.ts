import assert from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { stringify } from 'yaml';
import { newestEnvoy, skipWithout } from '../helpers/envoy.ts';
import { until } from '../helpers/until.ts';
import { startScene, versionOf } from './support.ts';

describe('an Envoy that does not answer', { skip: skipWithout(newestEnvoy) }, () => {
  test('is unanswered after ack_timeout; the commit goes live by the other; on return it gets the newest', async () => {
    await using scene = await startScene({
      envoys: [newestEnvoy, newestEnvoy],
      settings: { xds: { ack_timeout: '1s' } },
    });
    const { daemon, envoys } = scene;
    const [envoy, silent] = envoys as [(typeof envoys)[0], (typeof envoys)[0]];
    const first = (await daemon.status()).live!.version;
    silent.kill('SIGSTOP');
    try {
      const sha = await scene.commit({ size: 3 });
      const waiting = await daemon.waitFor('pending', ({ nodes }) => nodes.some(({ state }) => state === 'pending'));
      assert.equal(waiting.live!.version, first, 'not live while an answer is awaited');
      assert.equal(waiting.head!.outcome, null);
      const status = await daemon.waitFor('live by the other', ({ live }) => live?.version === sha);
      assert.equal(status.live!.proven, true);
      assert.deepEqual(status.counts, { connected: 2, acked: 1, pending: 0, refusing: 0, unanswered: 1 });
      assert.equal(status.nodes.find(({ id }) => id === 'envoy-1')!.state, 'unanswered');
      assert.equal(status.nodes.find(({ id }) => id === 'envoy-1')!.version, first);
      assert.equal(await versionOf(envoy), sha);
      const said = await daemon.logged(/did not answer/);
      assert.equal(said.msg, `Envoy envoy-1 did not answer ${sha.slice(0, 12)} in time`);
      assert.match((await daemon.run('status')).stdout, /envoy-1 {2}\w{12} {2}(\S+ req\/s {2})?unanswered/);
      const second = await scene.commit({ size: 4 });
      await daemon.waitFor('live again', ({ live }) => live?.version === second);
    } finally {
      silent.kill('SIGCONT');
    }
    const newest = await daemon.waitFor('both have it', ({ counts }) => counts.acked === 2);
    await until('the newest on its return', async () => (await versionOf(silent)) === newest.live!.version);
    assert.equal(newest.head!.outcome, 'live');
  });

  test('a restart in the middle of a rollout with other settings judges the commit by them', async () => {
    await using scene = await startScene({ settings: { xds: { ack_timeout: '1m' } } });
    const { daemon, envoys } = scene;
    const first = (await daemon.status()).live!.version;
    envoys[0]!.kill('SIGSTOP');
    try {
      const sha = await scene.commit({ size: 3 });
      await daemon.waitFor('it is on its way', ({ counts, head }) => counts.pending === 1 && head?.version === sha);
      await daemon.kill('SIGKILL');
      const folder = dirname(daemon.state);
      const schema = { properties: { shuffle_sharding: { properties: { default_shard_size: { maximum: 2 } } } } };
      await writeFile(join(folder, 'schema.json'), JSON.stringify(schema));
      await writeFile(join(folder, 'shardplane.yaml'), stringify({ repository: { schema: 'schema.json' } }));
      await daemon.restart();
      const { live } = await daemon.waitFor('judged', ({ head }) => head?.outcome === 'invalid');
      assert.equal(live!.version, first);
    } finally {
      envoys[0]!.kill('SIGCONT');
    }
    await until('the one before', async () => (await versionOf(scene.envoy)) === first);
  });

  test('a restart in the middle of a rollout goes on in it, before git is asked', async () => {
    await using scene = await startScene({ envoys: [newestEnvoy, newestEnvoy] });
    const { daemon, repository, envoys } = scene;
    const first = (await daemon.status()).live!.version;
    envoys[1]!.kill('SIGSTOP');
    try {
      const sha = await scene.commit({ size: 3 });
      await daemon.waitFor(
        'one has it, one does not answer',
        ({ counts }) => counts.acked === 1 && counts.pending === 1,
      );
      await daemon.kill('SIGKILL');
      await rename(repository.path, `${repository.path}.away`);
      await daemon.restart();
      const { msg } = await daemon.logged(new RegExp(`^serving ${sha.slice(0, 12)}`));
      assert.match(msg, /from the ledger$/);
      const { live, head } = await daemon.status();
      assert.deepEqual([live!.version, head!.version, head!.outcome], [first, sha, null]);
      await rename(`${repository.path}.away`, repository.path);
    } finally {
      envoys[1]!.kill('SIGCONT');
    }
    const { live } = await daemon.waitFor(
      'both have it',
      ({ counts, head }) => counts.acked === 2 && head?.outcome === 'live',
    );
    assert.equal(live!.proven, true);
    const history = await daemon.history();
    const { settledAt, acked, connected } = history[0]!.push!;
    assert.ok(settledAt !== null && acked > 0 && acked === connected, 'how its push went is known');
    const outcomes = history.map(({ version, outcome }) => [version, outcome]);
    assert.deepEqual(outcomes.slice(0, 2), [
      [live!.version, 'live'],
      [first, 'live'],
    ]);
  });
});
