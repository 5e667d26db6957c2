import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { startBackends } from '../helpers/backend.ts';
import { skipWithout } from '../helpers/envoy.ts';
import { luaSetups, makeClient, startFilters } from './support.ts';

const runtime = { 'shuffle_sharding.total_hosts': 8, 'shuffle_sharding.default_shard_size': 2 };

for (const { version, kind, lua, sharder } of luaSetups) {
  describe(`Envoy ${version}, ${kind}, clusters mode`, { skip: skipWithout(version) }, () => {
    test('a request goes to backend_N of a slot that the assignment names', async () => {
      await using backends = await startBackends(8);
      await using envoy = await startFilters({
        version,
        lua,
        mode: 'clusters',
        endpoints: backends.map(({ address }) => address),
        runtime,
      });
      using client = makeClient(await envoy.port());
      const reached = new Set<string>();
      for (let i = 0; i < 40; i++) {
        const { status, headers, body } = await client.as('customer-A', `/${i}`);
        assert.equal(status, 200);
        assert.equal(headers['x-shard-assignment'], '[5,8]');
        reached.add(body);
      }
      assert.deepEqual([...reached].sort(), [backends[4]!.address, backends[7]!.address].sort());
      const targets = backends[4]!.seen.map((request) => request.headers['x-target-cluster']);
      assert.deepEqual(new Set(targets), new Set(['backend_4']));
    });

    test('a client cannot choose the cluster, not even when Lua fails', async () => {
      const spoofed = [
        'x-customer-id',
        'customer-A',
        'x-target-cluster',
        'envoy_admin',
        'X-Target-Cluster',
        'backend_0',
      ];
      const fails = 'function envoy_on_request() error("broken") end';
      const broken = 'shard' in lua ? { ...lua, shard: fails } : { shardplane: fails };
      for (const [used, errors] of [
        [lua, '0'],
        [broken, '1'],
      ] as const) {
        await using envoy = await startFilters({
          version,
          mode: 'clusters',
          endpoints: ['127.0.0.1:1'],
          runtime,
          lua: used,
        });
        using client = makeClient(await envoy.port());
        const { status, body } = await client.send('/server_info', spoofed);
        assert.equal(status, 503, body);
        assert.equal(await envoy.stat(`http.ingress.lua.${sharder}.errors`), errors);
        assert.equal(await envoy.stat('cluster.backend_0.upstream_rq_total'), '0');
      }
    });
  });
}
