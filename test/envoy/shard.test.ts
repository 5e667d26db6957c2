import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';

import { assignShard } from '../../src/shard/assign.ts';
import { skipWithout, type Envoy } from '../helpers/envoy.ts';
import { until } from '../helpers/until.ts';
import { shardVectors } from '../shard/vectors.ts';
import { answerDirectly, luaSetups, makeClient, startFilters, withSettings, type Client } from './support.ts';

for (const { version, kind, lua, sharder } of luaSetups) {
  describe(`Envoy ${version}, ${kind}`, { skip: skipWithout(version) }, () => {
    test('the golden vectors hold', async () => {
      const sizes = shardVectors.map(({ customer, shardSize }) => [sizeKey(customer), shardSize] as const);
      await using envoy = await startFilters({
        version,
        edit: answerDirectly,
        lua: withSettings(lua, { refresh_ms: 20 }),
        runtime: { 'shuffle_sharding.total_hosts': 8, ...Object.fromEntries(sizes) },
      });
      using client = makeClient(await envoy.port());
      for (const totalHosts of new Set(shardVectors.map((vector) => vector.totalHosts))) {
        await setTotalHosts(envoy, client, totalHosts);
        const here = shardVectors.filter((vector) => vector.totalHosts === totalHosts && !vector.drained);
        for (const { customer, slots } of here)
          assert.deepEqual(await assignmentOf(client, customer), slots, `${customer} of ${totalHosts}`);
      }
    });

    test('Lua and TypeScript agree on 5,000 generated customers', async () => {
      const runtime = { 'shuffle_sharding.total_hosts': 37, 'shuffle_sharding.default_shard_size': 5 };
      await using envoy = await startFilters({ version, lua, edit: answerDirectly, runtime });
      using client = makeClient(await envoy.port(), 16);
      const customers = generate(5000);
      const answers = await mapWithWorkers(customers, 16, (customer) => assignmentOf(client, customer));
      customers.forEach((customer, i) => {
        const expected = assignShard({ customer, totalHosts: 37, shardSize: 5 });
        assert.deepEqual(answers[i], expected, JSON.stringify(customer));
      });
    });

    test('any bytes are a customer: what is not UTF-8 too', async () => {
      await using envoy = await startFilters({ version, lua, edit: answerDirectly, runtime: {} });
      const port = await envoy.port();
      for (const id of ['\xff\xfe', '\xc3\x28', '\xed\xa0\x80', '\x80', 'a\xf0\x9f', '%00', 'x"; drop', '[1]']) {
        assert.match(
          await rawRequest(port, id),
          /^HTTP\/1.1 200 [^]*x-shard-assignment: \[\d,\d\]/,
          JSON.stringify(id),
        );
      }
      assert.equal(await envoy.stat(`http.ingress.lua.${sharder}.errors`), '0');
    });
  });
}

const sizeKey = (customer: string) => `shuffle_sharding.customer.${customer}.shard_size`;

async function setTotalHosts(envoy: Envoy, client: Client, total: number): Promise<void> {
  await envoy.admin(`/runtime_modify?shuffle_sharding.total_hosts=${total}`, 'POST');
  const config = async () => String((await client.as('x')).headers['x-shard-config']);
  await until(`${total} hosts`, async () => (await config()).endsWith(`/${total}`));
}

/** The 0-based slots that the response names. */
async function assignmentOf(client: Client, customer: string): Promise<number[]> {
  const { headers, status } = await client.as(customer);
  assert.equal(status, 200, customer);
  return (JSON.parse(String(headers['x-shard-assignment'])) as number[]).map((slot) => slot - 1);
}

/** Ids of many lengths and scripts, the same at each run. */
function generate(count: number): string[] {
  const parts = ['a', 'Z9', '-', '.', '_', 'customer', 'é', '客户', '😀', 'ß', '/', ':', '7', ' x'];
  return Array.from({ length: count }, (_, i) => {
    let id = `c${i}`;
    for (let rest = i * 7919; rest > 0; rest = Math.floor(rest / parts.length)) id += parts[rest % parts.length]!;
    return id;
  });
}

async function mapWithWorkers<T, R>(items: readonly T[], workers: number, run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const work = async () => {
    for (let i = next++; i < items.length; i = next++) results[i] = await run(items[i]!);
  };
  await Promise.all(Array.from({ length: workers }, work));
  return results;
}

/** A request whose customer header holds exactly these bytes (latin1); answers the response's text. */
function rawRequest(port: number, id: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(Buffer.from(`GET / HTTP/1.1\r\nhost: t\r\nx-customer-id: ${id}\r\n\r\n`, 'latin1'));
    });
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer in 10 s')));
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (answer.includes('\r\n\r\n')) socket.destroy();
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}
