import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { skipWithout } from '../helpers/envoy.ts';
import { startBackend } from '../helpers/backend.ts';
import { answerDirectly, luaSetups, makeClient, startFilters } from './support.ts';

const commit = '0123456789abcdef0123456789abcdef01234567';
const runtime = {
  'shuffle_sharding.total_hosts': 8,
  'shuffle_sharding.default_shard_size': 2,
  'shuffle_sharding.version': commit,
};

for (const { version, kind, lua, sharder } of luaSetups) {
  describe(`Envoy ${version}, ${kind}`, { skip: skipWithout(version) }, () => {
    test('a customer header that is missing, empty, too long or there twice is a 400 with JSON', async () => {
      await using envoy = await startFilters({ version, lua, edit: answerDirectly, runtime });
      using client = makeClient(await envoy.port());
      const bad: [Record<string, string> | string[], string][] = [
        [{}, 'customer_missing'],
        [{ 'x-customer-id': '' }, 'customer_missing'],
        [{ 'x-customer-id': '  ' }, 'customer_missing'],
        [{ 'x-customer-id': 'x'.repeat(257) }, 'customer_too_long'],
        [['x-customer-id', 'a', 'X-Customer-Id', 'b'], 'customer_repeated'],
        [['x-customer-id', 'a', 'x-customer-id', 'a'], 'customer_repeated'],
      ];
      for (const [headers, code] of bad) {
        const answer = await client.send('/', headers);
        assert.equal(answer.status, 400, code);
        assert.equal(answer.headers['content-type'], 'application/json');
        const body = JSON.parse(answer.body) as { error: string; message: string };
        assert.equal(body.error, code);
        assert.match(body.message, /^the header x-customer-id is /);
        assert.equal(answer.headers['x-shard-assignment'], undefined);
      }
      for (const good of ['x'.repeat(256), 'a,b', '客'.repeat(85)]) {
        assert.equal((await client.as(good)).status, 200, good);
      }
    });

    test('the three headers are on the response and at the backend, whoever else sends some', async () => {
      await using backend = await startBackend();
      backend.answerHeaders = { 'x-shard-assignment': '[9,9]', 'x-shard-version': 'backend' };
      const values = { ...runtime, 'shuffle_sharding.hosts': Array<string>(8).fill(backend.address).join() };
      await using envoy = await startFilters({ version, lua, endpoints: [backend.address], runtime: values });
      using client = makeClient(await envoy.port());
      const spoofed = ['x-shard-assignment', 'x-shard-config', 'x-shard-version', 'x-target-cluster'];
      const twice = [...spoofed, 'x-envoy-original-dst-host'].flatMap((name) => [
        name,
        'mine',
        name.toUpperCase(),
        'too',
      ]);
      const { headers } = await client.send('/', ['x-customer-id', 'customer-A', ...twice]);
      for (const seen of [headers, backend.seen[0]!.headers]) {
        assert.equal(seen['x-shard-assignment'], '[5,8]');
        assert.equal(seen['x-shard-config'], '2/8');
        assert.equal(seen['x-shard-version'], commit.slice(0, 12));
        assert.equal(seen['x-target-cluster'], undefined);
        assert.equal(seen['x-envoy-original-dst-host'], undefined);
      }
    });

    test('a body passes, also while the request waits for the runtime', async () => {
      await using backend = await startBackend();
      const values = { ...runtime, 'shuffle_sharding.hosts': backend.address };
      await using envoy = await startFilters({ version, lua, endpoints: [backend.address], runtime: values });
      using client = makeClient(await envoy.port());
      const answer = await client.send('/', { 'x-customer-id': 'a' }, Buffer.alloc(5_000_000, 'x'));
      assert.equal(answer.status, 200);
      assert.equal(backend.seen[0]!.bodyBytes, 5_000_000);
    });

    test('values that are missing or absurd fall back, sizes beyond the hosts are cut', async () => {
      const cases: [Record<string, string | number>, string, string][] = [
        [{}, '2/8', 'fallback'],
        [{ 'shuffle_sharding.total_hosts': 0 }, '2/8', 'fallback'],
        [{ 'shuffle_sharding.total_hosts': -3, 'shuffle_sharding.default_shard_size': -1 }, '2/8', 'fallback'],
        [{ 'shuffle_sharding.total_hosts': 2.5 }, '2/8', 'fallback'],
        [{ 'shuffle_sharding.total_hosts': 1e6 }, '2/8', 'fallback'],
        [{ 'shuffle_sharding.total_hosts': 'NaN', 'shuffle_sharding.default_shard_size': 'inf' }, '2/8', 'fallback'],
        [{ 'shuffle_sharding.total_hosts': 'eight' }, '2/8', 'fallback'],
        [{ 'shuffle_sharding.total_hosts': '12' }, '2/12', 'fallback'],
        [{ 'shuffle_sharding.total_hosts': 4, 'shuffle_sharding.default_shard_size': 9 }, '4/4', 'fallback'],
        [{ 'shuffle_sharding.total_hosts': 1 }, '1/1', 'fallback'],
        [{ 'shuffle_sharding.customer.a.shard_size': 99 }, '8/8', 'fallback'],
        [{ 'shuffle_sharding.customer.a.shard_size': 0.5 }, '2/8', 'fallback'],
        [{ 'shuffle_sharding.customer.a.shard_size': 3, 'shuffle_sharding.version': 'abc' }, '3/8', 'abc'],
        [{ 'shuffle_sharding.version': 'not a\r\nversion' }, '2/8', 'fallback'],
        [{ 'shuffle_sharding.hosts': '127.0.0.1:1,127.0.0.1:2,127.0.0.1:3' }, '2/3', 'fallback'],
        [{ 'shuffle_sharding.hosts': ' , ' }, '2/8', 'fallback'],
      ];
      await Promise.all(
        cases.map(async ([values, config, label]) => {
          await using envoy = await startFilters({ version, lua, edit: answerDirectly, runtime: values });
          using client = makeClient(await envoy.port());
          const { headers } = await client.as('a');
          const seen = [headers['x-shard-config'], headers['x-shard-version']];
          assert.deepEqual(seen, [config, label], JSON.stringify(values));
          assert.equal(await envoy.stat(`http.ingress.lua.${sharder}.errors`), '0');
        }),
      );
    });
  });
}
