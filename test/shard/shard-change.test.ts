import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ShardConfig } from '../../src/config/config.ts';
import { changeOf } from '../../src/shard/shard-change.ts';
import { shardOf, viewOf } from '../../src/shard/shard-of.ts';
import { makeConfig } from '../helpers/config.ts';

const addresses = Array.from({ length: 8 }, (_, i) => `10.0.0.${i + 1}:80`);
const listed = makeConfig({ hosts: addresses });
const slots = shardOf(listed, 'a');
const [first = 0] = slots;

const causesOf = (before: ShardConfig, after: ShardConfig): readonly string[] | null =>
  changeOf(viewOf(before), viewOf(after), 'a')?.causes ?? null;
const replace = (slot: number, host: string): string[] => addresses.map((each, i) => (i === slot ? host : each));

test('each cause has its words', () => {
  const cases: [ShardConfig, ShardConfig, string[]][] = [
    [listed, { ...listed, customers: new Map([['a', 3]]) }, ['size 2 (default) -> 3']],
    [{ ...listed, customers: new Map([['a', 3]]) }, listed, ['size 3 -> 2 (default)']],
    [listed, { ...listed, deals: new Map([['a', 1]]) }, ['deal 0 -> 1']],
    [listed, { ...listed, drained: [first] }, [`drained or vacant: ${first + 1}`]],
    [{ ...listed, drained: [first] }, listed, [`in use again: ${first + 1}`]],
    [listed, { ...listed, hosts: replace(first, '') }, [`drained or vacant: ${first + 1}`]],
    [
      listed,
      { ...listed, hosts: replace(first, '10.9.9.9:80') },
      [`host ${first + 1} ${addresses[first]} -> 10.9.9.9:80`],
    ],
    [makeConfig(), makeConfig({ totalHosts: 1 }), ['total hosts 8 -> 1']],
    [listed, makeConfig(), ['hosts are not listed any more']],
    [
      makeConfig({ quarantineHosts: 2 }),
      makeConfig({ quarantineHosts: 2, quarantined: new Set(['a']) }),
      ['quarantined'],
    ],
    [
      makeConfig({ quarantineHosts: 2, quarantined: new Set(['a']) }),
      makeConfig({ quarantineHosts: 2 }),
      ['out of quarantine'],
    ],
  ];
  for (const [before, after, causes] of cases) assert.deepEqual(causesOf(before, after), causes, causes.join());
});

test('what leaves its hosts alone is no change: another customer, a host that is not its own, a size that is the default', () => {
  const other = addresses.findIndex((_, slot) => !slots.includes(slot));
  for (const after of [
    listed,
    { ...listed, customers: new Map([['b', 5]]) },
    { ...listed, customers: new Map([['a', 2]]) },
    { ...listed, drained: [other] },
    { ...listed, hosts: replace(other, '10.9.9.9:80') },
  ])
    assert.equal(causesOf(listed, after), null);
});

test('both shards are told, best first, with addresses', () => {
  const after = { ...listed, customers: new Map([['a', 3]]) };
  const change = changeOf(viewOf(listed), viewOf(after), 'a');
  const hostsOf = (config: ShardConfig) =>
    shardOf(config, 'a').map((slot) => ({ number: slot + 1, host: addresses[slot] }));
  assert.deepEqual(change?.before?.hosts, hostsOf(listed));
  assert.deepEqual(change.after, {
    ...{ size: 3, sizeFrom: 'customer', totalHosts: 8, deal: 0, inQuarantine: false },
    hosts: hostsOf(after),
  });
});
