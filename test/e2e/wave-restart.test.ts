import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { newestEnvoy, oldestEnvoy, skipWithout } from '../helpers/envoy.ts';
import { pushesTaken, rejections, startScene, watchVersions, type Scene } from './support.ts';

const settings = {
  // An Envoy may take some seconds to connect again.
  xds: { ack_timeout: '8s' },
  rollout: {
    strategies: {
      nodes: [{ nodes: 1, bake: '3s' }, { bake: '100ms' }],
      customers: [{ customers: ['acme'], bake: '3s' }, { customers: '50%', bake: '100ms' }, { bake: '100ms' }],
    },
    checks: { errors: 'off' },
  },
};

describe('the daemon ends while a wave bakes', { skip: skipWithout(newestEnvoy) || skipWithout(oldestEnvoy) }, () => {
  let scene: Scene;
  let count = 0;
  before(async () => {
    scene = await startScene({ envoys: [oldestEnvoy, newestEnvoy], settings, first: { hosts: 2 } });
  });
  after(() => scene[Symbol.asyncDispose]());

  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    test(`${signal}: the wave goes on, and no Envoy is put back`, async () => {
      const { live, sha, seen, taken } = await endInWave(signal, 'nodes');
      assert.deepEqual(seen, [
        [live, sha],
        [live, sha],
      ]);
      // the candidate, and what it has once more on the new stream; the other has the candidate last
      assert.deepEqual(taken, [2, 2]);
    });

    test(`${signal} while customers have it, and the repository is away meanwhile`, async () => {
      const { repository } = scene;
      const away = `${repository.path}-away`;
      const { live, sha, seen, taken } = await endInWave(signal, 'customers', {
        down: () => rename(repository.path, away),
        over: () => rename(away, repository.path),
      });
      for (const [at, versions] of seen.entries()) {
        assert.deepEqual(versions.map(plain), [live, sha, sha, sha], versions.join());
        const [, one, two, all] = versions;
        assert.deepEqual([stage(one) > 0, stage(two) > stage(one), stage(all)], [true, true, 0], versions.join());
        assert.equal(taken[at], 4);
      }
    });
  }

  /** A commit of that strategy, and the daemon ended in its first wave; returns what each Envoy had from then until it is live. */
  async function endInWave(
    signal: NodeJS.Signals,
    strategy: 'nodes' | 'customers',
    { down, over }: { down?: () => Promise<void>; over?: () => Promise<void> } = {},
  ) {
    const { daemon, envoys } = scene;
    const live = (await daemon.status()).live!.version;
    const before = await Promise.all(envoys.map(pushesTaken));
    const watched = watchVersions(envoys);
    count += 1; // what was live before would go to all at once
    const sha = await scene.commit(
      { hosts: 3, runtime: { 'test.count': count } },
      `change\n\nShardplane-Rollout: ${strategy}`,
    );
    const baking = await daemon.waitFor(
      'it bakes',
      ({ rollout }) => rollout?.version === sha && rollout.phase === 'baking',
    );
    await daemon.kill(signal);
    await down?.();
    await daemon.restart();
    const { rollout, live: now } = await daemon.status();
    assert.deepEqual([rollout?.version, rollout?.wave, now?.version], [sha, baking.rollout!.wave, live]);
    await daemon.waitFor('both are back', ({ counts }) => counts.acked === 2);
    // The first goes on when it has baked; the others need not wait so long.
    if (count > 1) assert.equal((await daemon.run('promote')).code, 0);
    await daemon.waitFor(
      'it goes on to its end',
      (status) => status.live?.version === sha && status.counts.acked === 2,
    );
    await over?.();
    const seen = await watched.stop();
    for (const envoy of envoys) assert.equal(await rejections(envoy), 0);
    const after = await Promise.all(envoys.map(pushesTaken));
    return { live, sha, seen, taken: after.map((each, at) => each - before[at]!) };
  }
});

function plain(version: string): string {
  return version.split('.')[0]!;
}

function stage(version = ''): number {
  return Number(version.split('.')[1] ?? 0);
}
