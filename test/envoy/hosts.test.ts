import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { startBackends, type Backend } from '../helpers/backend.ts';
import type { LuaSource } from '../../src/envoy/listener.ts';
import { skipWithout, type Envoy } from '../helpers/envoy.ts';
import { until } from '../helpers/until.ts';
import { luaSetups, makeClient, startFilters, type Answer } from './support.ts';

for (const { version, kind, lua } of luaSetups) {
  describe(`Envoy ${version}, ${kind}, hosts mode`, { skip: skipWithout(version) }, () => {
    test('traffic reaches the hosts that x-shard-assignment names, all of them, and no other', async () => {
      await using fleet = await startFleet({ version, lua, count: 8, size: 3 });
      using client = makeClient(await fleet.envoy.port());
      for (const customer of ['customer-A', 'customer-B', '客户', 'd.o.t']) {
        const reached = new Set<string>();
        for (let i = 0; i < 60; i++) {
          const answer = await client.as(customer, `/${customer.length}/${i}`);
          assert.equal(answer.status, 200);
          assert.ok(namedHosts(answer, fleet.backends).includes(answer.body), `${answer.body} is not in the shard`);
          reached.add(answer.body);
        }
        assert.equal(reached.size, 3, customer);
      }
    });

    test('one path has one host', async () => {
      await using fleet = await startFleet({ version, lua, count: 8, size: 3 });
      using client = makeClient(await fleet.envoy.port(), 4);
      const answers = await Promise.all(Array.from({ length: 20 }, () => client.as('customer-A', '/same?path=1')));
      assert.equal(new Set(answers.map(({ body }) => body)).size, 1);
    });

    test('retries stay inside the shard; an exhausted shard is a 503 and no request elsewhere', async () => {
      await using fleet = await startFleet({ version, lua, count: 8, size: 2 });
      using client = makeClient(await fleet.envoy.port(), 4);
      const send = (i: number) => client.as('customer-A', `/${i}`);
      const [first, second] = namedHosts(await send(0), fleet.backends).map((host) => backendOf(fleet.backends, host));
      await first!.stop();
      for (let i = 0; i < 200; i++) {
        const answer = await send(i);
        assert.equal(answer.status, 200, `request ${i}: ${answer.body}`);
        assert.equal(answer.body, second!.address);
      }
      assert.ok(Number(await fleet.envoy.stat('cluster.backends.upstream_rq_retry')) > 50);
      await second!.stop();
      const elsewhere = () =>
        fleet.backends.filter((one) => one !== first && one !== second).map((one) => one.seen.length);
      const before = elsewhere();
      for (let i = 0; i < 50; i++) {
        const answer = await send(i);
        assert.equal(answer.status, 503);
        assert.equal(answer.headers['x-shard-config'], '2/8');
        assert.equal(answer.headers['x-shard-version'], 'fallback');
      }
      assert.deepEqual(elsewhere(), before);
      assert.deepEqual(before, [0, 0, 0, 0, 0, 0]);
    });

    test('many failing requests at once are all retried: Envoy would allow three', async () => {
      await using fleet = await startFleet({ version, lua, count: 4, size: 2 });
      using client = makeClient(await fleet.envoy.port(), 64);
      const [first] = namedHosts(await client.as('customer-A'), fleet.backends);
      await backendOf(fleet.backends, first!).stop();
      const answers = await Promise.all(Array.from({ length: 300 }, (_, i) => client.as('customer-A', `/${i}`)));
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    });

    test('hosts that are not among the endpoints are skipped', async () => {
      const extraHosts = ['127.0.0.1:1', '10.255.255.1:80'];
      await using fleet = await startFleet({ version, lua, count: 2, size: 4, extraHosts });
      using client = makeClient(await fleet.envoy.port());
      for (let i = 0; i < 40; i++) assert.equal((await client.as('customer-A', `/${i}`)).status, 200);
      for (const backend of fleet.backends) assert.ok(backend.seen.length > 0);
      assert.equal(await fleet.envoy.stat('cluster.backends.upstream_rq_retry'), '0');
    });

    test('a grown shard has new members beside the old, without a restart', async () => {
      await using fleet = await startFleet({ version, lua, count: 12, size: 2, total: 8 });
      using client = makeClient(await fleet.envoy.port());
      assert.equal((await client.as('customer-A')).headers['x-shard-assignment'], '[5,8]');
      const grow = 'shuffle_sharding.total_hosts=12&shuffle_sharding.customer.customer-A.shard_size=12';
      await fleet.envoy.admin(`/runtime_modify?${grow}`, 'POST');
      await until('12/12', async () => (await client.as('customer-A')).headers['x-shard-config'] === '12/12');
      for (let i = 0; i < 200; i++) assert.equal((await client.as('customer-A', `/${i}`)).status, 200);
      for (const backend of fleet.backends) assert.ok(backend.seen.length > 0, `${backend.address} got nothing`);
    });
  });
}

interface Fleet extends AsyncDisposable {
  readonly envoy: Envoy;
  readonly backends: Backend[];
}

interface FleetOptions {
  readonly version: string;
  readonly lua: LuaSource;
  readonly count: number;
  readonly size: number;
  readonly total?: number;
  /** Hosts that the runtime names, and no endpoint is. */
  readonly extraHosts?: readonly string[];
}

async function startFleet({ version, lua, count, size, total, extraHosts = [] }: FleetOptions): Promise<Fleet> {
  await using stack = new AsyncDisposableStack();
  const backends = stack.use(await startBackends(count));
  const endpoints = backends.map(({ address }) => address);
  const runtime = {
    'shuffle_sharding.total_hosts': total ?? count + extraHosts.length,
    'shuffle_sharding.default_shard_size': size,
    'shuffle_sharding.hosts': [...endpoints, ...extraHosts].join(),
  };
  const envoy = stack.use(await startFilters({ version, lua, endpoints, runtime }));
  const owned = stack.move();
  return { envoy, backends, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** The addresses behind the 1-based slots of the header. */
function namedHosts({ headers }: Answer, backends: readonly Backend[]): string[] {
  const slots = JSON.parse(String(headers['x-shard-assignment'])) as number[];
  return slots.map((slot) => backends[slot - 1]?.address ?? 'none');
}

function backendOf(backends: readonly Backend[], address: string): Backend {
  return backends.find((backend) => backend.address === address)!;
}
