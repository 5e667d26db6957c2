import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ShardConfig } from '../../src/config/config.ts';
import { movedShare } from '../../src/shard/moved.ts';
import { makeConfig } from '../helpers/config.ts';

const hosts = (count: number): string[] => Array.from({ length: count }, (_, i) => `10.0.0.${i + 1}:80`);
const listed = (all: readonly string[], changes: Partial<ShardConfig> = {}): ShardConfig =>
  makeConfig({ totalHosts: all.length, hosts: all, ...changes });
const customers = (count: number, size = 2): ReadonlyMap<string, number> =>
  new Map(Array.from({ length: count }, (_, i) => [`customer-${i}`, size]));
const swapped = (all: readonly string[]): string[] => [all[1]!, all[0]!, ...all.slice(2)];

const exact: readonly [name: string, live: ShardConfig, next: ShardConfig, share: number][] = [
  ['nothing changed', makeConfig(), makeConfig(), 0],
  ['only the runtime', makeConfig(), makeConfig({ runtime: new Map([['a.b', 1]]) }), 0],
  ['the default size, grown', makeConfig(), makeConfig({ defaultShardSize: 3 }), 1],
  [
    'the default size, where all named have their own',
    makeConfig({ customers: customers(5) }),
    makeConfig({ customers: customers(5), defaultShardSize: 3 }),
    1,
  ],
  ['a size beyond the hosts', makeConfig({ defaultShardSize: 8 }), makeConfig({ defaultShardSize: 9 }), 0],
  [
    'one named of four',
    makeConfig({ customers: customers(4) }),
    makeConfig({ customers: new Map([...customers(4), ['customer-2', 3]]) }),
    0.25,
  ],
  ['a name with the default size, added', makeConfig(), makeConfig({ customers: customers(1) }), 0],
  ['names with another size, added', makeConfig(), makeConfig({ customers: customers(3, 4) }), 1],
  [
    'a name taken away, of two',
    makeConfig({ customers: customers(2, 4) }),
    makeConfig({ customers: customers(1, 4) }),
    0.5,
  ],
  ['all hosts replaced', listed(hosts(8)), listed(hosts(16).slice(8)), 1],
  ['a shard of all hosts, reordered', listed(hosts(2)), listed(swapped(hosts(2))), 0],
  ['hosts that were not listed', makeConfig(), listed(hosts(8)), 1],
  ['hosts that are listed no longer', listed(hosts(8)), makeConfig(), 1],
  [
    'one of four that share hosts is dealt anew',
    makeConfig({ customers: customers(4) }),
    makeConfig({ customers: customers(4), deals: new Map([['customer-2', 1]]) }),
    0.25,
  ],
  ['a deal alone names a customer', makeConfig(), makeConfig({ deals: new Map([['x', 1]]) }), 1],
  [
    'one of two goes into quarantine',
    makeConfig({ customers: customers(2), quarantineHosts: 2 }),
    makeConfig({ customers: customers(2), quarantineHosts: 2, quarantined: new Set(['customer-1']) }),
    0.5,
  ],
  ['a slot that was vacant and is drained', listed([...hosts(7), '']), listed(hosts(8), { drained: [7] }), 0],
];
for (const [name, live, next, share] of exact)
  test(`moved: ${name}`, () => assert.equal(movedShare(live, next), share));

/** Of `count` hosts, the share whose shard of `size` has a certain one. */
const having = (size: number, count: number): number => size / count;

const near: readonly [name: string, live: ShardConfig, next: ShardConfig, share: number][] = [
  ['one host added to 10', listed(hosts(10)), listed(hosts(11)), having(2, 11)],
  ['one slot added to 10', makeConfig({ totalHosts: 10 }), makeConfig({ totalHosts: 11 }), having(2, 11)],
  ['the last host of 10 taken away', listed(hosts(10)), listed(hosts(9)), having(2, 10)],
  ['one drained of 8', makeConfig(), makeConfig({ drained: [3] }), having(2, 8)],
  ['a host set apart, of 8', makeConfig(), makeConfig({ quarantineHosts: 1 }), having(2, 8)],
  ['one no longer drained', makeConfig({ drained: [3] }), makeConfig(), having(2, 8)],
  ['one vacant of 8', listed(hosts(8)), listed(['', ...hosts(8).slice(1)]), having(2, 8)],
  ['one address changed of 8', listed(hosts(8)), listed(['10.9.9.9:80', ...hosts(8).slice(1)]), having(2, 8)],
  // a shard with one of the two and without the other
  ['two hosts swapped of 8', listed(hosts(8)), listed(swapped(hosts(8))), (2 * 2 * 6) / (8 * 7)],
  // of the 45 pairs, the five that are mirrored onto themselves stay
  ['a reversed list of 10 hosts', listed(hosts(10)), listed(hosts(10).toReversed()), 40 / 45],
  [
    '5,000 named, a fifth of another size',
    makeConfig({ customers: customers(5000) }),
    makeConfig({ customers: new Map([...customers(5000)].map(([id, size], i) => [id, i % 5 === 0 ? 4 : size])) }),
    0.2,
  ],
  [
    '3,000 named, and as many new ones of another size',
    makeConfig({ customers: customers(3000) }),
    makeConfig({ customers: new Map([...customers(6000, 4), ...customers(3000)]) }),
    0.5,
  ],
  [
    '4,096 hosts, of which fewer customers are looked at',
    makeConfig({ totalHosts: 4096, defaultShardSize: 64, customers: customers(2000, 64) }),
    makeConfig({ totalHosts: 4095, defaultShardSize: 64, customers: customers(2000, 64) }),
    having(64, 4096),
  ],
];
for (const [name, live, next, share] of near)
  test(`moved: ${name}: about ${share.toFixed(3)}`, () => {
    const moved = movedShare(live, next);
    assert.ok(Math.abs(moved - share) < 0.05, `${moved}`);
    assert.equal(movedShare(live, next), moved, 'the sample is always the same');
  });
