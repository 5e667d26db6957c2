import assert from 'node:assert/strict';
import { Client, credentials } from '@grpc/grpc-js';
import { test } from 'node:test';
import { service } from '../../src/xds/protos.ts';
import { until } from '../helpers/until.ts';
import { XdsClient } from '../xds/client.ts';
import { startScene } from './support.ts';

const CLUSTER = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';

test('an Envoy that asks for what is not here is shown, with what it asks for, until it is gone', async () => {
  await using scene = await startScene({ envoys: [] });
  const { daemon } = scene;
  const address = `127.0.0.1:${daemon.xdsPort}`;
  {
    using elsewhere = new XdsClient(address);
    elsewhere.subscribe('edge-1', ['other']);
    using foreign = new XdsClient(address, { kind: 'delta ADS' });
    foreign.send({ type_url: CLUSTER, node: { id: 'edge-2' } });
    // This one has another stream, which is served.
    using well = new XdsClient(address);
    well.subscribe('edge-3');
    using beside = new XdsClient(address, { kind: 'sotw ADS' });
    beside.send({ type_url: CLUSTER, node: { id: 'edge-3' } });

    const status = await daemon.waitFor('all of them', ({ nodes }) => nodes.length === 3);
    const unserved = status.nodes.filter(({ state }) => state === 'unserved');
    assert.deepEqual(unserved.map(({ id, version, unserved: words }) => [id, version, words]).sort(), [
      ['edge-1', null, 'asks for resource other; only RTDS resource runtime is served'],
      ['edge-2', null, `asks for type ${CLUSTER}; only RTDS resource runtime is served`],
    ]);
    assert.equal(status.counts.connected, 1);
    const { problems } = await daemon.waitFor('the problem', ({ problems }) => problems.length > 0, 20_000);
    assert.equal(problems[0]!.code, 'unserved');
    assert.match(
      problems[0]!.message,
      /^Envoy edge-\d gets nothing: it asks for .* \(2 such nodes: status lists them\)$/,
    );
    assert.match((await daemon.run('status')).stdout, /edge-1 {2}- +unserved: it asks for resource other; /);
  }
  await daemon.waitFor('no problem', ({ problems, nodes }) => problems.length + nodes.length === 0, 20_000);
});

test('gRPC health says what /readyz says', async () => {
  await using scene = await startScene({ envoys: [], first: null });
  const { daemon } = scene;
  const client = new Client(`127.0.0.1:${daemon.xdsPort}`, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = service('grpc.health.v1.Health')['Check']!;
  const check = () =>
    new Promise((resolve, reject) =>
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, (error, answer) =>
        error ? reject(error) : resolve((answer as { status: string }).status),
      ),
    );
  assert.equal(await check(), 'NOT_SERVING');
  assert.equal((await daemon.get('/readyz')).status, 503);
  await scene.commit({}, 'first');
  await until('ready', async () => (await daemon.get('/readyz')).status === 200);
  assert.equal(await check(), 'SERVING');
  client.close();
});
