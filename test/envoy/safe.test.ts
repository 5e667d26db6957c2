import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Json } from '../../src/config/config.ts';
import { envoyVersions, newestEnvoy, skipWithout, type Envoy } from '../helpers/envoy.ts';
import { startLayered, viewFields, type Layered } from './layers.ts';
import { luaKinds, luaSetups, type Answer } from './support.ts';
import { makeRandom, randomLayer, type Random } from './random-layer.ts';
import { expectedHeaders, usableViews, type Shown, type Views } from './usable.ts';

/** How many random layers each Envoy gets; FUZZ_LAYERS=10000 is the full number. */
const layers = Number(process.env.FUZZ_LAYERS ?? '150');
const seed = Number(process.env.FUZZ_SEED ?? '1');
const oldest = [...envoyVersions].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))[0]!;

const headersOf = ({ status, headers, body }: Answer) => {
  assert.equal(status, 200, body);
  return [headers['x-shard-assignment'], headers['x-shard-config'], headers['x-shard-version']];
};

async function shownBy(envoy: Envoy): Promise<Shown> {
  const { entries } = JSON.parse((await envoy.admin('/runtime')).body) as {
    entries: Record<string, { final_value: string }>;
  };
  return new Map(Object.entries(entries).map(([key, { final_value: value }]) => [key, value]));
}

/** Lines about a version that could not be used. */
const linesIn = (envoy: Envoy) => envoy.logs().match(/of version \S+ is missing or can't be used/g) ?? [];

const good = viewFields({ total_hosts: 8, default_shard_size: 2, version: 'good' });
const hosts = 'a:1,b:1,c:1,d:1';

/** Layers that must not be taken over, and what of them is said. */
const unusable: Record<string, [Record<string, Json>, string]> = {
  'no layer at all': [{}, 'total_hosts'],
  'an absurd number': [{ ...good, ...viewFields({ total_hosts: 1e9 }) }, 'total_hosts'],
  'a number as words': [{ ...good, ...viewFields({ default_shard_size: 'two' }) }, 'default_shard_size'],
  NaN: [{ ...good, ...viewFields({ default_shard_size: NaN }) }, 'default_shard_size'],
  'a list that does not parse': [{ ...good, ...viewFields({ drain: ',1,x,' }) }, 'drain'],
  'nobody left': [{ ...good, ...viewFields({ total_hosts: 2, drain: ',0,1,' }) }, 'drain'],
  'a host that is no address': [{ ...good, ...viewFields({ hosts: 'a:1,b' }) }, 'hosts'],
  'vacant slots alone': [{ ...good, ...viewFields({ hosts: ',,' }) }, 'hosts'],
  'a version of other bytes': [{ ...good, ...viewFields({ version: 'a\r\nb' }) }, 'version'],
  'a size of a customer': [{ ...good, ...viewFields({ 'customer.a.shard_size': -1 }) }, 'customer.*.shard_size'],
  'packed sizes without ends': [{ ...good, ...viewFields({ sizes: 'a=1' }) }, 'sizes'],
  'packed sizes out of order': [{ ...good, ...viewFields({ sizes: ',b=1,a=1,' }) }, 'sizes'],
  'a deal beyond all': [{ ...good, ...viewFields({ 'customer.a.deal': 100_000 }) }, 'customer.*.deal'],
  'a deal of 0 in the current view': [{ ...good, ...viewFields({ 'customer.a.deal': 0 }) }, 'customer.*.deal'],
  'packed deals out of bounds': [{ ...good, ...viewFields({ deals: ',a=100000,' }) }, 'deals'],
  'a quarantine in words': [{ ...good, ...viewFields({ 'customer.a.quarantine': 'yes' }) }, 'customer.*.quarantine'],
  'packed quarantined without values': [{ ...good, ...viewFields({ quarantined: ',a,' }) }, 'quarantined'],
  'a quarantine of all hosts': [{ ...good, ...viewFields({ quarantine_hosts: 8 }) }, 'quarantine_hosts'],
  'a quarantine of less than none': [{ ...good, ...viewFields({ quarantine_hosts: -1 }) }, 'quarantine_hosts'],
  'all drained but the quarantine': [
    { ...good, ...viewFields({ total_hosts: 3, quarantine_hosts: 1, drain: ',0,1,' }) },
    'quarantine_hosts',
  ],
  'next deals out of bounds': [{ ...good, ...viewFields({ deals: ',a=-1,' }, 'next.') }, 'next.deals'],
  'a next view with too few hosts': [
    { ...good, ...viewFields({ hosts, total_hosts: 4 }), ...viewFields({ total_hosts: 5, cutover: 1 }, 'next.') },
    'next.hosts',
  ],
  'a cutover beyond all': [{ ...good, ...viewFields({ cutover: 10001 }, 'next.') }, 'next.cutover'],
  'a list of first customers without ends': [{ ...good, ...viewFields({ first: 'a' }, 'next.') }, 'next.first'],
  'next sizes out of bounds': [{ ...good, ...viewFields({ sizes: ',a=1025,' }, 'next.') }, 'next.sizes'],
};

for (const { version, kind, lua, reader } of luaSetups) {
  describe(`Envoy ${version}, ${kind}, unusable values`, { skip: skipWithout(version) }, () => {
    test('leave the last good view in place, are counted, and logged once per version', async () => {
      await using layered = await startLayered({ version, lua });
      const { envoy, client } = layered;
      let said = 0;
      for (const [what, [fields, name]] of Object.entries(unusable)) {
        await layered.push(good);
        const before = headersOf(await client.as('a'));
        assert.equal(before[2], 'good');
        const label = `v${(said += 1)}`;
        const stated = {
          ...fields,
          ...(fields['shuffle_sharding.version'] === 'good' && viewFields({ version: label })),
        };
        await layered.push(stated);
        for (let i = 0; i < 3; i++) assert.deepEqual(headersOf(await client.as('a')), before, what);
        await layered.push({ ...stated, 'another.key': 1 });
        assert.deepEqual(headersOf(await client.as('a')), before, what);
        const last = linesIn(envoy).at(-1) ?? '';
        const count = linesIn(envoy).filter((line) => line.includes(` ${label} `)).length;
        assert.ok(count <= 1, `${what}: ${count} lines`);
        assert.match(
          envoy.logs(),
          new RegExp(`${reader}: shuffle_sharding\\.${name.replaceAll(/[.*]/g, '\\$&')} of`),
          what,
        );
        assert.match(last, /^of version (v\d+|unknown) /, what);
      }
      assert.equal(await envoy.stat(`http.ingress.lua.${reader}.errors`), '0');
      if (version.startsWith('1.36') || version.startsWith('1.37')) return;
      assert.equal(await envoy.stat(`http.ingress.lua.${reader}.unusable`), String(2 * said));
    });

    test('hosts that vanish leave the last good view in place', async () => {
      await using layered = await startLayered({ version, lua });
      await layered.push({ ...good, ...viewFields({ hosts, total_hosts: 4 }) });
      const before = headersOf(await layered.client.as('a'));
      await layered.push({ ...good, ...viewFields({ version: 'bare' }) });
      assert.deepEqual(headersOf(await layered.client.as('a')), before);
    });

    test('a packed entry that is malformed means the default size, to its customer alone', async () => {
      await using layered = await startLayered({ version, lua });
      const entries = Array.from({ length: 300 }, (_, i) => `c${String(i).padStart(3, '0')}=${i === 100 ? 'x' : 3}`);
      await layered.push({ ...good, ...viewFields({ sizes: `,${entries.join()},` }) });
      for (const [customer, config] of [
        ['c100', '2/8'],
        ['c099', '3/8'],
        ['c101', '3/8'],
      ] as const)
        assert.equal(headersOf(await layered.client.as(customer))[1], config, customer);
    });
  });
}

const customers = ['a', 'b-1', 'customer-A', 'zz.top', 'q7'];

interface Known {
  readonly views: Views | null;
  readonly headers: readonly unknown[];
}

/** Pushes a random layer; throws unless the worker does with it what docs/envoy.md says. */
async function tryLayer(layered: Layered, random: Random, last: Known): Promise<Known> {
  const fields = randomLayer(random);
  await layered.push(fields);
  const views = usableViews(await shownBy(layered.envoy), last.views);
  const headers = views ? customers.map((customer) => expectedHeaders(views, customer)) : last.headers;
  const seen = [];
  for (const customer of customers) seen.push(headersOf(await layered.client.as(customer)));
  assert.deepEqual(seen, headers, JSON.stringify(fields).slice(0, 5_000));
  return views ? { views, headers } : last;
}

for (const version of new Set([oldest, newestEnvoy]))
  for (const { kind, lua, reader, sharder } of luaKinds)
    describe(`Envoy ${version}, ${kind}, random layers`, { skip: skipWithout(version) }, () => {
      test(`${layers} after good values: each is taken over whole or not at all`, async () => {
        await using layered = await startLayered({ version, lua });
        const random = makeRandom(seed);
        await layered.push(good);
        const views = usableViews(await shownBy(layered.envoy), null)!;
        const start: Known = { views, headers: customers.map((customer) => expectedHeaders(views, customer)) };
        assert.deepEqual(headersOf(await layered.client.as('a')), start.headers[0]);
        let last = start;
        let refused = 0;
        for (let i = 0; i < layers; i++) {
          const next = await tryLayer(layered, random, last);
          if (next === last) refused += 1;
          last = next;
        }
        assert.notEqual(last, start);
        assert.ok(refused > layers / 10 && refused < layers * 0.9, `${refused} of ${layers} were refused`);
        const lines = linesIn(layered.envoy);
        assert.ok(lines.length <= refused && lines.length > refused / 2, `${lines.length} lines for ${refused}`);
        for (const filter of new Set([reader, sharder]))
          assert.equal(await layered.envoy.stat(`http.ingress.lua.${filter}.errors`), '0');
      });

      test('to workers that never had good values: no request fails', async () => {
        const random = makeRandom(seed + 1);
        for (let i = 0; i < Math.max(3, layers / 500); i++) {
          await using layered = await startLayered({ version, lua });
          for (let j = 0; j < 10; j++) {
            await layered.push(randomLayer(random));
            for (const customer of customers) headersOf(await layered.client.as(customer));
          }
          for (const filter of new Set([reader, sharder]))
            assert.equal(await layered.envoy.stat(`http.ingress.lua.${filter}.errors`), '0');
        }
      });
    });
