import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { ShardConfig } from '../../src/config/config.ts';
import { compileRelease, toFields } from '../../src/release/compile.ts';
import type { Release } from '../../src/release/release.ts';
import { explainRelease } from '../../src/daemon/explain-release.ts';
import { slotsIn, viewOf } from '../../src/shard/shard-of.ts';
import { startBackends } from '../helpers/backend.ts';
import { makeConfig } from '../helpers/config.ts';
import { skipWithout } from '../helpers/envoy.ts';
import { versionOf } from '../helpers/ids.ts';
import { referenceCutover, referenceShard } from '../shard/reference.ts';
import { cutoverVectors, dealVectors, shardVectors, type DealVector, type ShardVector } from '../shard/vectors.ts';
import { startLayered, viewFields } from './layers.ts';
import { luaSetups, type Answer, type Client } from './support.ts';

/** What the response says: slots from 0, and the other two headers. */
function shardOf({ status, headers }: Answer) {
  assert.equal(status, 200);
  const named = JSON.parse(String(headers['x-shard-assignment'])) as number[];
  return [named.map((slot) => slot - 1), headers['x-shard-config'], headers['x-shard-version']];
}

const slotsOf = async (client: Client, customer: string) => shardOf(await client.as(customer))[0];
const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const list = (slots: readonly number[] = []) => `,${slots.map((slot) => `${slot},`).join('')}`;

function vectorView({ totalHosts, shardSize, drained }: ShardVector) {
  return { total_hosts: totalHosts, default_shard_size: shardSize, drain: list(drained) };
}

function vectorConfig({ customer, shardSize, deal, quarantined, ...vector }: DealVector): ShardConfig {
  const { totalHosts, drained = [], quarantineHosts = 0 } = vector;
  return makeConfig({
    totalHosts,
    drained,
    quarantineHosts,
    customers: new Map([[customer, shardSize]]),
    ...(deal && { deals: new Map([[customer, deal]]) }),
    ...(quarantined && { quarantined: new Set([customer]) }),
  });
}

for (const { version, kind, lua } of luaSetups) {
  describe(`Envoy ${version}, ${kind}, two views`, { skip: skipWithout(version) }, () => {
    test('the golden vectors hold with drained slots, in the current view and in the next', async () => {
      await using layered = await startLayered({ version, lua });
      const other = viewFields({ total_hosts: 3, default_shard_size: 1, version: 'other' });
      for (const vector of shardVectors.filter(({ drained }) => drained)) {
        await layered.push(viewFields(vectorView(vector)));
        assert.deepEqual(await slotsOf(layered.client, vector.customer), vector.slots, JSON.stringify(vector));
        await layered.push({ ...other, ...viewFields({ ...vectorView(vector), cutover: 10000 }, 'next.') });
        assert.deepEqual(await slotsOf(layered.client, vector.customer), vector.slots, JSON.stringify(vector));
      }
    });

    for (const encoding of ['keys', 'packed'] as const)
      test(`the golden vectors of deals and quarantine hold, in the current view and in the next: ${encoding}`, async () => {
        await using layered = await startLayered({ version, lua });
        const commit = { version: versionOf('v'), subject: '' };
        // what the next view has to take back
        const other = makeConfig({
          totalHosts: 9,
          quarantineHosts: 5,
          deals: new Map([...dealVectors.map(({ customer }) => [customer, 77] as const), ['stranger', 5]]),
          quarantined: new Set([...dealVectors.map(({ customer }) => customer), 'stranger']),
        });
        for (const vector of dealVectors) {
          const config = vectorConfig(vector);
          const next = { config, version: 'next', cutover: 10_000, first: new Set<string>() };
          for (const release of [
            { ...commit, config },
            { ...commit, config: other, next },
          ]) {
            await layered.push(Object.fromEntries(toFields(release, encoding)));
            assert.deepEqual(await slotsOf(layered.client, vector.customer), vector.slots, JSON.stringify(vector));
            assert.deepEqual(await slotsOf(layered.client, 'stranger'), slotsIn(viewOf(config), 'stranger'));
          }
        }
        assert.doesNotMatch(layered.envoy.logs(), /can't be used/);
      });

    test('what is in quarantine reaches no host of others, and nobody else its hosts', async () => {
      await using backends = await startBackends(6);
      const hosts = backends.map(({ address }) => address);
      await using layered = await startLayered({ version, lua, endpoints: hosts, edit: () => undefined });
      const config = makeConfig({ totalHosts: 6, hosts, quarantineHosts: 2 });
      const push = async (quarantined: readonly string[]) => {
        const own = quarantined.length > 0 && { quarantined: new Set(quarantined) };
        const release = { version: versionOf('v'), subject: '', config: { ...config, ...own } };
        await layered.push(Object.fromEntries(toFields(release)));
        await layered.client.as('x'); // reads it; those that come meanwhile would go on with the old view
      };
      const reachedBy = async (customer: string) => {
        const answers = await Promise.all(range(20).map((i) => layered.client.as(customer, `/${i}`)));
        return new Set(answers.map(({ body }) => body));
      };
      await push([]);
      assert.ok((await reachedBy('noisy')).isSubsetOf(new Set(hosts.slice(0, 4))));
      await push(['noisy']);
      assert.deepEqual(await reachedBy('noisy'), new Set(hosts.slice(4)));
      const others = await Promise.all(range(40).map((i) => reachedBy(`c${i}`)));
      assert.deepEqual(
        others.reduce((all, each) => all.union(each)),
        new Set(hosts.slice(0, 4)),
      );
    });

    test('a customer uses the next view from its cutover on', async () => {
      await using layered = await startLayered({ version, lua });
      const base = viewFields({ total_hosts: 8, default_shard_size: 2, version: 'now' });
      const push = (cutover: number) => layered.push({ ...base, ...viewFields({ version: 'then', cutover }, 'next.') });
      const versionOf = async (customer: string) => (await layered.client.as(customer)).headers['x-shard-version'];
      for (const { customer, at } of cutoverVectors.slice(0, 12)) {
        await push(at);
        assert.equal(await versionOf(customer), 'now', customer);
        await push(at + 1);
        assert.equal(await versionOf(customer), 'then', customer);
      }
    });

    for (const encoding of ['keys', 'packed'] as const)
      test(`2,000 customers in both views, drained, as recomputed and as explained: ${encoding}`, async () => {
        await using layered = await startLayered({ version, lua });
        const customers = Array.from({ length: 2_000 }, (_, i) => awkward(i));
        const release = twoViews(customers);
        await layered.push(Object.fromEntries(toFields(release, encoding)));
        const answers = await Promise.all(customers.map((customer) => layered.client.as(customer)));
        let inNext = 0;
        customers.forEach((customer, i) => {
          const expected = recompute(customer, i);
          assert.deepEqual(shardOf(answers[i]!), expected, customer);
          if (expected[2] === 'next') inNext += 1;
          if (i % 20 > 0) return;
          const told = explainRelease(release, customer);
          const slots = told.slots.map(({ slot }) => slot);
          assert.deepEqual([slots, `${told.shardSize}/${told.totalHosts}`, told.version], expected, customer);
        });
        assert.ok(inNext > 700 && inNext < 1_000, `${inNext} of 2,000 use the next view`);
        assert.doesNotMatch(layered.envoy.logs(), /can't be used/);
      });

    test('requests of both views go to hosts of their shards, none to a drained or vacant one', async () => {
      await using backends = await startBackends(6);
      const addresses = backends.map(({ address }) => address);
      await using layered = await startLayered({ version, lua, endpoints: addresses, edit: () => undefined });
      const [, , vacant, drained] = addresses;
      const hosts = addresses.map((address) => (address === vacant ? '' : address)).join();
      await layered.push({
        ...viewFields({ total_hosts: 4, default_shard_size: 2, hosts: addresses.slice(0, 4).join(), version: 'old' }),
        ...viewFields({ total_hosts: 6, hosts, drain: list([3]), cutover: 5000, version: 'new' }, 'next.'),
      });
      const reached = { old: new Set<string>(), new: new Set<string>() };
      for (let i = 0; i < 200; i++) {
        const answer = await layered.client.as(`c${i}`, `/${i}`);
        const [slots, , label] = shardOf(answer) as [number[], string, 'old' | 'new'];
        assert.ok(slots.map((slot) => addresses[slot]).includes(answer.body), `${answer.body} is not in its shard`);
        reached[label].add(answer.body);
      }
      assert.deepEqual(reached.old, new Set(addresses.slice(0, 4)));
      assert.deepEqual(reached.new, new Set(addresses.filter((address) => address !== vacant && address !== drained)));
    });
  });
}

/** Ids with every kind of byte that a header can hold. */
function awkward(i: number): string {
  const parts = ['%', ',', '=', '"', '\\', 'é', '客', '😀', '.', '-', 'z', '%2C', ' x', '<&>', "'", '\u00ff', '\t'];
  return `c${i}${parts[i % parts.length]}${parts[(i * 7) % parts.length]}${i}`;
}

const sizeNow = (i: number) => (i % 3 === 0 ? 1 + (i % 7) : null);
const sizeNext = (i: number) => (i % 5 === 0 ? i % 6 : null);
/** Of the next view: 0 is the default again, null as in the current one. */
const sizeOf = (i: number) => sizeNext(i) ?? sizeNow(i);

function twoViews(ids: readonly string[]): Release {
  const sized = (sizeOf: (i: number) => number | null) =>
    new Map(ids.map((id, i) => [id, sizeOf(i) ?? 0] as const).filter(([, size]) => size > 0));
  const next = { totalHosts: 29, defaultShardSize: 4, drained: [2, 5, 28], customers: sized(sizeOf) };
  return {
    version: versionOf('current'),
    subject: '',
    config: makeConfig({ totalHosts: 23, defaultShardSize: 3, drained: [0, 5, 11], customers: sized(sizeNow) }),
    next: {
      config: makeConfig(next),
      version: 'next',
      cutover: 4000,
      first: new Set(ids.filter((_, i) => i % 100 === 0)),
    },
  };
}

function recompute(customer: string, i: number): [number[], string, string] {
  if (i % 100 === 0 || referenceCutover(customer) < 4000) {
    const own = sizeOf(i) || 4;
    return [referenceShard(customer, 29, own, [2, 5, 28]), `${own}/29`, 'next'];
  }
  const size = sizeNow(i) ?? 3;
  return [referenceShard(customer, 23, size, [0, 5, 11]), `${size}/23`, 'current'];
}

test('a release of a config that drains says so', () => {
  const hosts = ['a:1', 'b:1', 'c:1'];
  const config = makeConfig({ totalHosts: 3, hosts, drained: [1] });
  const told = explainRelease(compileRelease(config, { version: 'v', subject: '' }), 'acme');
  assert.deepEqual(told.slots.map(({ slot }) => slot).sort(), [0, 2]);
  assert.deepEqual([told.view, told.viewReason, told.version], ['current', 'no-next-view', 'v']);
});
