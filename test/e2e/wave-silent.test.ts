import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeClient } from '../envoy/support.ts';
import { newestEnvoy, oldestEnvoy, skipWithout } from '../helpers/envoy.ts';
import { placesInWaves, startScene, versionOf } from './support.ts';

const settings = {
  rollout: {
    strategy: 'one-first',
    strategies: { 'one-first': [{ nodes: 1, bake: '1s' }, { bake: '0s' }] },
    checks: { errors: { requests: 20 } },
  },
};
const skip = skipWithout(oldestEnvoy) || skipWithout(newestEnvoy);

test('a wave without traffic does not end with its bake, and says why; with traffic it does', { skip }, async () => {
  await using scene = await startScene({ envoys: [oldestEnvoy, newestEnvoy], settings });
  const { daemon, envoys } = scene;
  const first = (await daemon.status()).live!.version;
  const sha = await scene.commit({ size: 3 });
  const { rollout } = await daemon.waitFor('five verdicts, a second apart', (status) => {
    const [check] = status.rollout?.checks ?? [];
    return check?.verdicts.length === 5;
  });
  // It pauses after ten minutes of this: test/rollout/no-data.txt.
  const [{ name, verdicts, message }] = rollout!.checks as [(typeof rollout & object)['checks'][number]];
  assert.deepEqual([name, ...new Set(verdicts)], ['errors', 'no_data']);
  assert.match(message, /^no request in the wave for \d+ s$/);
  assert.deepEqual([rollout!.version, rollout!.phase, rollout!.wave], [sha, 'baking', 1]);
  assert.ok(Date.parse(rollout!.bakeUntil!) < Date.now());
  assert.match(rollout!.waitsFor!, /errors/);
  const versions = await Promise.all(placesInWaves(2).map((at) => versionOf(envoys[at]!)));
  assert.deepEqual(versions, [sha, first]);

  const clients = await Promise.all(envoys.map(async (envoy) => makeClient(await envoy.port())));
  for (let at = 0; at < 30; at += 1) for (const client of clients) await client.as('a', `/${at}`);
  await daemon.waitForLive(sha);
  clients.forEach((client) => client[Symbol.dispose]());
});
