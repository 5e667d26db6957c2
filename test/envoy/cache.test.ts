import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';

import { assignShard } from '../../src/shard/assign.ts';
import { skipWithout, type Envoy } from '../helpers/envoy.ts';
import { answerDirectly, luaSetups, makeClient, startFilters, withSettings } from './support.ts';

for (const { version, kind, lua } of luaSetups) {
  describe(`Envoy ${version}, ${kind}, the cache of shards`, { skip: skipWithout(version) }, () => {
    test('invented customers do not make the worker grow', async () => {
      const runtime = { 'shuffle_sharding.total_hosts': 1000, 'shuffle_sharding.default_shard_size': 900 };
      await using envoy = await startFilters({ version, lua, edit: answerDirectly, runtime });
      using client = makeClient(await envoy.port(), 8);
      const burst = async (from: number, count: number) => {
        await Promise.all(Array.from({ length: count }, (_, i) => client.as(`invented-${from + i}`)));
      };
      await burst(0, 500);
      const before = residentMiB(envoy);
      for (let from = 500; from < 4500; from += 500) await burst(from, 500);
      const grown = residentMiB(envoy) - before;
      assert.ok(grown < 30, `grew by ${grown} MiB`); // without the bound: by more than 60
    });

    test('a cache that overflows all the time still answers right', async () => {
      const tiny = withSettings(lua, { cache_slots: 60 });
      const runtime = { 'shuffle_sharding.total_hosts': 12, 'shuffle_sharding.customer.c3.shard_size': 5 };
      await using envoy = await startFilters({ version, edit: answerDirectly, runtime, lua: tiny });
      using client = makeClient(await envoy.port());
      for (let i = 0; i < 120; i++) {
        const customer = `c${i % (i < 60 ? 5 : 13)}`;
        const { headers } = await client.as(customer);
        const slots = assignShard({ customer, totalHosts: 12, shardSize: customer === 'c3' ? 5 : 2 });
        assert.equal(headers['x-shard-assignment'], `[${slots.map((slot) => slot + 1).join()}]`, customer);
      }
    });
  });
}

function residentMiB(envoy: Envoy): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${envoy.pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}
