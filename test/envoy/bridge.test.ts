import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';

import type { LuaSource } from '../../src/envoy/listener.ts';
import { skipWithout, type Envoy } from '../helpers/envoy.ts';
import { until } from '../helpers/until.ts';
import { startAdminProxy, type AdminProxy, type Behaviour } from './admin-proxy.ts';
import {
  answerDirectly,
  luaSetups,
  makeClient,
  startFilters,
  withSettings,
  type Client,
  type FilterSetup,
} from './support.ts';

const base = { 'shuffle_sharding.total_hosts': 20, 'shuffle_sharding.default_shard_size': 2 };
const shardSizeOf = (customer: string) => `shuffle_sharding.customer.${customer}.shard_size`;

/** Shorter times, so that the tests are short: everything else is as shipped. */
const quicken = (lua: LuaSource) => withSettings(lua, { refresh_ms: 100, max_backoff_ms: 1000 });

for (const { version, kind, lua, reader } of luaSetups) {
  describe(`Envoy ${version}, ${kind}, reading the runtime`, { skip: skipWithout(version) }, () => {
    test("the first request of each worker has the runtime's values", async () => {
      const runtime = { ...base, [shardSizeOf('customer-A')]: 5, 'shuffle_sharding.version': 'f'.repeat(40) };
      await using envoy = await startFilters({ version, lua, edit: answerDirectly, runtime, concurrency: 2 });
      const port = await envoy.port();
      // many connections at once, so that both workers get some, all before the first read is done
      using stack = new DisposableStack();
      const clients = Array.from({ length: 40 }, () => stack.use(makeClient(port)));
      const answers = await Promise.all(clients.map((client) => client.as('customer-A')));
      for (const { headers } of answers) {
        assert.deepEqual([headers['x-shard-config'], headers['x-shard-version']], ['5/20', 'f'.repeat(12)]);
      }
    });

    test('a change is seen within the refresh interval, without a restart, and when the version stays', async () => {
      const runtime = { ...base, 'shuffle_sharding.version': 'a'.repeat(40) };
      await using envoy = await startFilters({ version, lua, edit: answerDirectly, runtime });
      using client = makeClient(await envoy.port());
      assert.equal(await configOf(client), '2/20');
      for (const [change, config] of [
        ['shuffle_sharding.total_hosts=30', '2/30'],
        ['shuffle_sharding.default_shard_size=4', '4/30'],
        [`${shardSizeOf('x')}=7`, '7/30'],
        [`${shardSizeOf('x')}=`, '4/30'], // an empty value ends the override
      ] as const) {
        await envoy.admin(`/runtime_modify?${change}`, 'POST');
        await until(config, async () => (await configOf(client)) === config);
      }
    });

    test('customers of any spelling have their own size', async () => {
      const names = [
        '客户',
        'a.b.c',
        'dot.',
        '"quoted"',
        'back\\slash',
        '<tag>&',
        '😀',
        "it's",
        '{"a":[1]}',
        'a,b',
        '1',
      ];
      const sizes = names.map((name, i) => [shardSizeOf(name), i + 3] as const);
      const confusing = {
        'other.value': '"shuffle_sharding.total_hosts": {"final_value": "1"}',
        'shuffle_sharding_not.total_hosts': 1,
        'shuffle_sharding.version': '\\"shuffle_sharding.total_hosts": {',
        'shuffle_sharding.customer.': 9,
        'shuffle_sharding.customer.x.shard_size.more': 9,
      };
      const runtime = { ...base, ...Object.fromEntries(sizes), ...confusing };
      await using envoy = await startFilters({ version, lua, edit: answerDirectly, runtime });
      using client = makeClient(await envoy.port());
      for (const [i, name] of names.entries()) assert.equal(await configOf(client, name), `${i + 3}/20`, name);
      assert.equal(await configOf(client, 'x'), '2/20');
    });

    test('it asks for one counter each interval, and for the runtime only when that moved', async () => {
      await using setup = await startWithProxy({ version, lua, runtime: base });
      const { envoy, proxy, client } = setup;
      const started = performance.now();
      await requestUntil(client, () => countOf(proxy, '/stats') === 5);
      assert.ok(performance.now() - started > 350, 'five checks, 100 ms apart');
      assert.equal(countOf(proxy, '/runtime'), 1);
      await envoy.admin('/runtime_modify?shuffle_sharding.total_hosts=21', 'POST');
      await until('2/21', async () => (await configOf(client)) === '2/21');
      const before = countOf(proxy, '/stats');
      await requestUntil(client, () => countOf(proxy, '/stats') === before + 3);
      assert.equal(countOf(proxy, '/runtime'), 2);
    });

    test('an Envoy whose stats leave the counter out is read each time', async () => {
      await using proxy = await startAdminProxy();
      const edit: FilterSetup['edit'] = (bootstrap) => {
        proxy.edit(bootstrap);
        answerDirectly(bootstrap);
        bootstrap.stats_config = { stats_matcher: { exclusion_list: { patterns: [{ prefix: 'runtime.' }] } } };
      };
      await using envoy = await startFilters({ version, edit, runtime: base, lua: quicken(lua) });
      proxy.attach(envoy);
      using client = makeClient(await envoy.port());
      assert.equal(await configOf(client), '2/20');
      await envoy.admin('/runtime_modify?shuffle_sharding.total_hosts=22', 'POST');
      await until('2/22', async () => (await configOf(client)) === '2/22');
    });

    test('however reading fails, the last values stay, it is counted and logged, and it backs off', async () => {
      await using setup = await startWithProxy({ version, lua, runtime: base });
      const { envoy, proxy, client } = setup;
      assert.equal(await configOf(client), '2/20');
      const ways: [Behaviour, string | null][] = [
        ['error', null],
        ['cut', null],
        ['hold', '/stats'],
        ['garbage', '/runtime'],
        ['truncated', '/runtime'],
      ];
      for (const [i, [behaviour, only]] of ways.entries()) {
        const seen = failuresIn(envoy);
        const total = 30 + i;
        Object.assign(proxy, { behaviour, only });
        await envoy.admin(`/runtime_modify?shuffle_sharding.total_hosts=${total}`, 'POST');
        await until(`${behaviour} is noticed`, async () => {
          assert.equal(await configOf(client), i === 0 ? '2/20' : `2/${total - 1}`);
          return failuresIn(envoy) > seen;
        });
        proxy.behaviour = 'pass';
        await until(`back after ${behaviour}`, async () => (await configOf(client)) === `2/${total}`);
      }
      if (version.startsWith('1.36') || version.startsWith('1.37')) return;
      const counted = () => envoy.stat(`http.ingress.lua.${reader}.read_failures`);
      await until('as many counted as logged', async () => (await counted()) === String(failuresIn(envoy)));
    });

    test('while it fails it tries ever more rarely', async () => {
      await using setup = await startWithProxy({ version, lua, runtime: base });
      const { envoy, proxy, client } = setup;
      await client.as('x');
      proxy.behaviour = 'error';
      await requestUntil(client, () => failuresIn(envoy) >= 5);
      assert.match(
        envoy.logs(),
        /cannot read the runtime .*status 500.*keeping the last values, trying again in 200 ms/,
      );
      const attempts = attemptsIn(envoy).slice(0, 5);
      assert.deepEqual(
        attempts.map(({ waitMs }) => waitMs),
        [200, 400, 800, 1000, 1000],
      );
      attempts.slice(1).forEach(({ atMs }, i) => {
        const { atMs: beforeMs, waitMs } = attempts[i]!;
        assert.ok(atMs - beforeMs >= waitMs - 2, `attempt ${i + 2} came ${atMs - beforeMs} ms later`);
      });
      assert.equal(await envoy.stat(`http.ingress.lua.${reader}.errors`), '0');
    });

    test('without any admin cluster there is the fallback, and no failed request', async () => {
      const edit: FilterSetup['edit'] = (bootstrap) => {
        answerDirectly(bootstrap);
        const { clusters } = bootstrap.static_resources;
        clusters.splice(
          clusters.findIndex(({ name }) => name === 'envoy_admin'),
          1,
        );
      };
      await using envoy = await startFilters({ version, lua, edit, runtime: base });
      using client = makeClient(await envoy.port());
      const { status, headers } = await client.as('x');
      assert.deepEqual([status, headers['x-shard-config'], headers['x-shard-version']], [200, '2/8', 'fallback']);
      await until('the log', () => /cannot read the runtime .*there are no values yet/.test(envoy.logs()));
    });

    test('only one request waits for a slow read, the others use what there is', async () => {
      await using setup = await startWithProxy({ version, lua, runtime: base });
      const { envoy, proxy, client } = setup;
      await client.as('x');
      const before = proxy.calls.length;
      proxy.behaviour = 'hold';
      using waiter = makeClient(await envoy.port());
      let answered = true;
      let waiting = '';
      await until('a request that reads', () => {
        if (answered) {
          answered = false;
          void configOf(waiter).then((config) => {
            answered = true;
            waiting = config;
          });
        }
        return proxy.calls.length > before;
      });
      for (let i = 0; i < 20; i++) assert.equal(await configOf(client), '2/20');
      assert.equal(proxy.calls.length, before + 1);
      assert.equal(answered, false, 'it still waits');
      proxy.behaviour = 'pass';
      proxy.release();
      await until('its answer', () => answered);
      assert.equal(waiting, '2/20');
    });

    test('a client that goes away during the read does not stop the reading', async () => {
      await using setup = await startWithProxy({ version, lua, runtime: base });
      const { envoy, proxy, client } = setup;
      proxy.behaviour = 'hold';
      const leaver = connect(await envoy.port(), '127.0.0.1');
      leaver.write('GET / HTTP/1.1\r\nhost: t\r\nx-customer-id: x\r\n\r\n');
      await until('the read has begun', () => proxy.calls.length > 0);
      leaver.destroy();
      proxy.behaviour = 'pass';
      assert.equal(await configOf(client), '2/20');
    });

    test('10,000 customers', async () => {
      const sizes = Array.from({ length: 10_000 }, (_, i) => [shardSizeOf(`customer-${i}`), 1 + (i % 9)] as const);
      await using envoy = await startFilters({
        version,
        lua,
        edit: answerDirectly,
        runtime: { ...base, ...Object.fromEntries(sizes) },
      });
      using client = makeClient(await envoy.port(), 8);
      const picked = Array.from({ length: 500 }, (_, i) => (i * 7919) % 10_000);
      const configs = await Promise.all(picked.map((i) => configOf(client, `customer-${i}`)));
      picked.forEach((i, at) => assert.equal(configs[at], `${1 + (i % 9)}/20`));
    });
  });
}

async function configOf(client: Client, customer = 'x'): Promise<string> {
  const { status, headers } = await client.as(customer);
  assert.equal(status, 200);
  return String(headers['x-shard-config']);
}

/** Requests, one after the other, until it holds. */
async function requestUntil(client: Client, holds: () => boolean): Promise<void> {
  await until(holds.toString(), async () => {
    await client.as('x');
    return holds();
  });
}

/** How often the bridge asked for that path. */
function countOf(proxy: AdminProxy, path: string): number {
  return proxy.calls.filter((call) => call === path).length;
}

/** Failed reads, by the log. */
function failuresIn(envoy: Envoy): number {
  return envoy.logs().split('cannot read the runtime').length - 1;
}

/** Failed reads, by Envoy's own clock, and how long each said that the next would wait. */
function attemptsIn(envoy: Envoy): { atMs: number; waitMs: number }[] {
  const lines = envoy.logs().matchAll(/^\[([-0-9]+ [:.0-9]+)\].*cannot read the runtime.*trying again in (\d+) ms$/gm);
  return [...lines].map(([, at, wait]) => ({ atMs: Date.parse(at!.replace(' ', 'T')), waitMs: Number(wait) }));
}

interface ProxySetup extends AsyncDisposable {
  readonly envoy: Envoy;
  readonly proxy: AdminProxy;
  readonly client: Client;
}

async function startWithProxy(setup: Required<Pick<FilterSetup, 'version' | 'runtime' | 'lua'>>): Promise<ProxySetup> {
  await using stack = new AsyncDisposableStack();
  const proxy = stack.use(await startAdminProxy());
  const edit: FilterSetup['edit'] = (bootstrap) => {
    proxy.edit(bootstrap);
    answerDirectly(bootstrap);
  };
  const envoy = stack.use(await startFilters({ ...setup, lua: quicken(setup.lua), edit }));
  proxy.attach(envoy);
  const client = stack.use(makeClient(await envoy.port()));
  const owned = stack.move();
  return { envoy, proxy, client, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
