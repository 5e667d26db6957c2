import assert from 'node:assert/strict';
import { test } from 'node:test';
import { envoyVersions, newestEnvoy, skipWithout } from '../helpers/envoy.ts';
import { startScene } from './support.ts';

const [oldest = newestEnvoy] = envoyVersions;
const skip = skipWithout(oldest) || skipWithout(newestEnvoy);

test('the status shows what each Envoy reports of its traffic', { skip }, async () => {
  await using scene = await startScene({ envoys: [oldest, newestEnvoy] });
  const { backends, client, daemon } = scene;
  for (const status of [200, 404, 500, 200]) {
    for (const backend of backends) backend.answerStatus = status;
    for (let at = 0; at < 10; at += 1) assert.equal((await client.as('a', `/${at}`)).status, status);
  }
  const { nodes } = await daemon.waitFor('the report', (status) =>
    status.nodes.some(({ load }) => (load?.requests ?? 0) >= 40),
  );
  const loads = new Map(nodes.map(({ id, load }) => [id, load && { requests: load.requests, errors: load.errors }]));
  assert.deepEqual(loads.get('envoy-0'), { requests: 40, errors: 10 });
  assert.deepEqual(loads.get('envoy-1'), { requests: 0, errors: 0 });
  assert.match((await daemon.get('/metrics')).body, /^shardplane_load_streams 2$/m);
  const { stdout } = await daemon.run('status');
  assert.match(stdout, /envoy-0 .* [\d.]+ req\/s, 25\.0 % errors +acked/);
  assert.match(stdout, /envoy-1 .* 0 req\/s +acked/);
});
