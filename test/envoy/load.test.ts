import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { parseAddress } from '../../src/envoy/address.ts';
import { makeBootstrap } from '../../src/envoy/bootstrap.ts';
import { Load } from '../../src/load/load.ts';
import { startBackends } from '../helpers/backend.ts';
import { envoyVersions, luaFilters, skipWithout, startEnvoy } from '../helpers/envoy.ts';
import { until } from '../helpers/until.ts';
import { release, startServer } from '../xds/support.ts';
import { makeClient, type Bootstrap } from './support.ts';

const all = () => true;

/** Status codes of backends, and which are errors. */
const codes = [
  [200, 10, 0],
  [404, 20, 0],
  [500, 40, 40],
  [503, 5, 5],
] as const;

for (const version of envoyVersions)
  describe(`load reports of Envoy ${version}`, { skip: skipWithout(version) }, () => {
    for (const mode of ['hosts', 'clusters'] as const)
      test(`${mode} mode: each request to a backend counts once, 5xx as errors, over changes of the interval`, async () => {
        const load = new Load({ now: Date.now });
        await using test = await startServer({ onLoad: load });
        test.server.offer(release('v1', { 'shuffle_sharding.total_hosts': 2 }));
        await using backends = await startBackends(2);
        await using envoy = await startEnvoy({ version, bootstrap: bootstrapOf({ port: test.port, backends, mode }) });
        using client = makeClient(await envoy.port());
        await until('the stream', () => test.server.loadStreams === 1);
        let sent = 0;
        for (const [at, [code, count]] of codes.entries()) {
          // Each answer of ours changes the interval at once, and loses nothing that was counted.
          test.server.setLoadInterval(at % 2 === 0 ? 300 : 60_000);
          for (const backend of backends) backend.answerStatus = code;
          for (let n = 0; n < count; n += 1) assert.equal((await client.as('a', `/${n}`)).status, code);
          sent += count;
        }
        test.server.setLoadInterval(200);
        await until('all of them', () => load.sum(all, 0).requests >= sent);
        const errors = codes.reduce((sum, [, , each]) => sum + each, 0);
        assert.deepEqual(load.sum(all, 0), { requests: sent, errors });
        // It is reported already that there was nothing more: what asks for the runtime is not counted.
        const reports = Number(await envoy.stat('load_reporter.responses'));
        await until('more reports', async () => Number(await envoy.stat('load_reporter.responses')) > reports + 3);
        assert.equal(load.sum(all, 0).requests, sent);
      });

    test('a server without the service, as before, does no harm: pushes and requests go on', async () => {
      await using test = await startServer();
      test.server.offer(release('v1'));
      await using backends = await startBackends(1);
      const bootstrap = parse(bootstrapOf({ port: test.port, backends, mode: 'hosts' })) as Bootstrap & WithLoad;
      // A cluster of its own for the reports, where nothing of that service listens.
      bootstrap.cluster_manager.load_stats_config.grpc_services = [{ envoy_grpc: { cluster_name: 'backends' } }];
      await using envoy = await startEnvoy({ version, bootstrap: stringify(bootstrap) });
      using client = makeClient(await envoy.port());
      await until('a failed attempt', async () => Number(await envoy.stat('load_reporter.errors')) > 0);
      assert.equal((await client.as('a')).status, 200);
      test.server.offer(release('v2'));
      await until('the push', () => test.count('acked') === 2);
    });

    test('an Envoy without load_stats_config works, and is not counted', async () => {
      const load = new Load({ now: Date.now });
      await using test = await startServer({ onLoad: load });
      test.server.offer(release('v1'));
      await using backends = await startBackends(1);
      const bootstrap = parse(bootstrapOf({ port: test.port, backends, mode: 'hosts' })) as Bootstrap &
        Partial<WithLoad>;
      delete bootstrap.cluster_manager;
      await using envoy = await startEnvoy({ version, bootstrap: stringify(bootstrap) });
      using client = makeClient(await envoy.port());
      await until('the push', () => test.count('acked') === 1);
      assert.equal((await client.as('a')).status, 200);
      assert.deepEqual([test.server.loadStreams, load.isReporting, load.of('n1')], [0, false, null]);
    });
  });

interface WithLoad {
  cluster_manager: { load_stats_config: { grpc_services: object[] } };
}

function bootstrapOf(options: { port: number; backends: readonly { address: string }[]; mode: 'hosts' | 'clusters' }) {
  return makeBootstrap({
    xds: { host: '127.0.0.1', port: options.port },
    listen: { host: '127.0.0.1', port: 0 },
    adminSocket: 'ADMIN_SOCKET',
    endpoints: options.backends.map(({ address }) => parseAddress(address)!),
    lua: luaFilters,
    mode: options.mode,
    node: { id: 'n1' },
  });
}
