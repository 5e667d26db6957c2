import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Checks } from '../../src/checks/checks.ts';
import type { CheckEvent } from '../../src/rollout/types.ts';
import { rtdsLayers, xdsCluster } from '../../src/envoy/xds.ts';
import { Load } from '../../src/load/load.ts';
import { makeClient, startFilters, type Client } from '../envoy/support.ts';
import { versionOf } from '../helpers/ids.ts';
import { startBackend, type Backend } from '../helpers/backend.ts';
import { luaFilters, newestEnvoy, skipWithout } from '../helpers/envoy.ts';
import { until } from '../helpers/until.ts';
import { release, startServer } from '../xds/support.ts';

/** An Envoy of that node.id with a backend of its own, that reports its load to the server at `port`. */
async function startNode(id: string, port: number, stack: AsyncDisposableStack) {
  const backend = stack.use(await startBackend());
  const xds = { host: '127.0.0.1', port };
  const sharding = { hosts: backend.address, total_hosts: 1, default_shard_size: 1 };
  const envoy = stack.use(
    await startFilters({
      version: newestEnvoy,
      lua: luaFilters,
      endpoints: [backend.address],
      args: ['--service-node', id],
      runtime: Object.fromEntries(Object.entries(sharding).map(([key, value]) => [`shuffle_sharding.${key}`, value])),
      edit: (bootstrap) => {
        bootstrap.layered_runtime.layers.splice(1, 0, ...rtdsLayers({ xds }));
        const { clusters } = bootstrap.static_resources;
        const at = clusters.findIndex(({ name }) => name === 'xds');
        clusters.splice(at, 1, xdsCluster({ xds }));
      },
    }),
  );
  return { id, backend, client: stack.use(makeClient(await envoy.port())) };
}

/** Ten requests a second. */
function sendRequests(client: Client, backend: Backend): AsyncDisposable {
  const over = new AbortController();
  const sending = (async () => {
    for (let sent = 0; !over.signal.aborted; sent += 1) {
      await client.as('customer-A');
      assert.equal(backend.seen.length, sent + 1);
      await sleep(95);
    }
  })();
  return {
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await sending;
    },
  };
}

describe('load reports of real Envoys', { skip: skipWithout(newestEnvoy) }, () => {
  test('a bad wave of one node with 10 requests a second has 3 fails of 5 verdicts', async (t) => {
    await using stack = new AsyncDisposableStack();
    const load = new Load({ now: Date.now });
    const { server, port } = stack.use(await startServer({ onLoad: load }));
    const nodes = await Promise.all(['edge-1', 'edge-2'].map((id) => startNode(id, port, stack)));
    const [bad, good] = [nodes[0]!.backend, nodes[1]!.backend];
    good.answerStatus = 404; // no error
    server.setLoadInterval(2_000);
    server.offer(release('v1'));
    for (const { client, backend } of nodes) stack.use(sendRequests(client, backend));
    await until('reports of both', () => nodes.every(({ id }) => load.sum((node) => node === id, 0).requests > 0));

    const events: CheckEvent[] = [];
    const settings = { errors: { ratio: 1.5, points: 0.5, requests: 100 }, prometheus: [] };
    const checks = new Checks({ settings, load, now: Date.now, put: (event) => events.push(event) });
    stack.defer(() => checks.close());
    const isBad = (count: number) => events.slice(-5).filter(({ verdict }) => verdict === 'fail').length >= count;
    const wave = { includes: (node: string) => node === 'edge-1', nodes: () => ['edge-1'], isEveryone: false };
    const startedAt = Date.now();
    const begin = (version: string) =>
      checks.watch({ version: versionOf(version), since: Date.now(), startedAt, baseline: null, ...wave });
    begin('v2');
    await until('a pass', () => events.at(-1)?.verdict === 'pass');
    assert.ok(!isBad(1), JSON.stringify(events));
    bad.answerStatus = 500;
    begin('v3');
    const began = Date.now();
    await until('three fails', () => isBad(3));
    t.diagnostic(`three fails ${Date.now() - began} ms after the first bad request`);
    assert.match(events.at(-1)!.message, /^errors \S+ % of \d+ requests in the wave, 0 % of \d+ elsewhere$/);
  });
});
