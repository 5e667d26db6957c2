import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { makeClient, type Client } from '../envoy/support.ts';
import { newestEnvoy, oldestEnvoy, skipWithout } from '../helpers/envoy.ts';
import { until } from '../helpers/until.ts';
import { placesInWaves, startScene, versionOf, watchVersions, type Scene } from './support.ts';

const settings = {
  rollout: {
    strategy: 'one-first',
    strategies: { 'one-first': [{ nodes: 1, bake: '30s' }, { bake: '0s' }] },
  },
};

describe('a bad wave', { skip: skipWithout(newestEnvoy) || skipWithout(oldestEnvoy) }, () => {
  let scene: Scene;
  let clients: Client[];
  before(async () => {
    scene = await startScene({
      envoys: [newestEnvoy, oldestEnvoy, newestEnvoy],
      backends: 4,
      settings,
      first: { hosts: 3 },
    });
    clients = await Promise.all(scene.envoys.map(async (envoy) => makeClient(await envoy.port())));
  });
  after(async () => {
    clients.forEach((client) => client[Symbol.dispose]());
    await scene[Symbol.asyncDispose]();
  });

  test('is found by load reports and rolled back, and no other node ever had it', async (t) => {
    const { daemon, envoys, backends } = scene;
    const first = await versionOf(scene.envoy);
    const [inWave = 0] = placesInWaves(3);
    const others = envoys.filter((_, at) => at !== inWave);
    // The fourth backend joins, and answers 500.
    backends[3]!.answerStatus = 500;
    const traffic = drive(clients);
    const watched = watchVersions(others);
    await until('traffic has been good for a while', () => traffic.good() >= 180);
    const sha = await scene.commit({ hosts: 4, size: 4 });
    await until('the wave has it', async () => (await versionOf(envoys[inWave]!)) === sha);
    const firstBad = await until('the first bad request', () => traffic.firstBad());
    await daemon.waitFor('rolled back', ({ head }) => head?.version === sha && head.outcome === 'rolled_back', 40_000);
    const decided = Date.now();
    await until('the wave has the old one', async () => (await versionOf(envoys[inWave]!)) === first);
    t.diagnostic(
      `${decided - firstBad} ms from the first bad request to the verdict, back ${Date.now() - decided} ms later`,
    );
    await traffic.stop();
    assert.deepEqual(await watched.stop(), [[first], [first]], 'the others never had it');
  });
});

/** Ten requests a second to each. */
function drive(clients: readonly Client[]) {
  let isOver = false;
  let firstBad: number | null = null;
  let good = 0;
  const one = async (client: Client, at: number): Promise<void> => {
    for (let n = at; !isOver; n += 1) {
      const { status } = await client.as(`customer-${n % 100}`);
      if (status >= 500) firstBad ??= Date.now();
      else good += 1;
      await pause(100);
    }
  };
  const all = Promise.all(clients.map((client, at) => one(client, 37 * at)));
  return {
    firstBad: () => firstBad,
    good: () => good,
    stop: async () => {
      isOver = true;
      await all;
    },
  };
}
