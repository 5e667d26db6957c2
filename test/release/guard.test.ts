import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ShardConfig } from '../../src/config/config.ts';
import { findShrink } from '../../src/release/guard.ts';
import { makeConfig } from '../helpers/config.ts';

function config(totalHosts: number, ...customers: string[]): ShardConfig {
  return makeConfig({ totalHosts, customers: new Map(customers.map((id) => [id, 2])) });
}

const half = { customers: 0.5, hosts: 0.5 };
const cases: readonly [name: string, live: ShardConfig, next: ShardConfig, words: string | null][] = [
  ['nothing changes', config(8, 'a', 'b'), config(8, 'a', 'b'), null],
  ['half of the customers may go', config(8, 'a', 'b'), config(8, 'a'), null],
  [
    'more than half may not',
    config(8, 'a', 'b', 'c'),
    config(8, 'a'),
    'it removes 2 of 3 customers, more than 50 %: b, c',
  ],
  [
    'others that come do not make up for it',
    config(8, 'a', 'b', 'c'),
    config(8, 'x', 'y', 'z'),
    'it removes 3 of 3 customers, more than 50 %: a, b, c',
  ],
  [
    'who has a deal or is in quarantine is there, without a size too',
    { ...config(8, 'a'), deals: new Map([['b', 1]]) },
    { ...config(8), deals: new Map([['a', 1]]), quarantined: new Set(['b']), quarantineHosts: 1 },
    null,
  ],
  [
    'and is missed',
    { ...config(8, 'a'), deals: new Map([['b', 1]]), quarantined: new Set(['c']) },
    config(8, 'a'),
    'it removes 2 of 3 customers, more than 50 %: b, c',
  ],
  ['no customers before', config(8), config(8), null],
  ['half of the hosts may go', config(8), config(4), null],
  ['more may not', config(8), config(3), 'it shrinks total_hosts from 8 to 3, by more than 50 %'],
  ['growth is free', config(8), config(800, 'a'), null],
];
for (const [name, live, next, words] of cases)
  test(`guard: ${name}`, () => assert.equal(findShrink(live, next, half), words));

test('guard: it names some of those that go, bounded and safe to print', () => {
  const many = Array.from({ length: 9 }, (_, i) => `customer-${i}`);
  assert.equal(
    findShrink(config(8, ...many), config(8), half),
    'it removes 9 of 9 customers, more than 50 %: customer-0, customer-1, customer-2, customer-3, customer-4 and 4 more',
  );
  const words = findShrink(config(8, 'x'.repeat(200), 'a\u202eb'), config(8), half);
  assert.equal(words, `it removes 2 of 2 customers, more than 50 %: ${'x'.repeat(59)}…, a\\u{202e}b`);
});

test('guard: of listed hosts, it names those that go', () => {
  const listed = (count: number): ShardConfig =>
    makeConfig({ totalHosts: count, hosts: Array.from({ length: count }, (_, i) => `10.0.0.${i + 1}:80`) });
  const words = 'it shrinks total_hosts from 4 to 1, by more than 50 %, without 10.0.0.2:80, 10.0.0.3:80, 10.0.0.4:80';
  assert.equal(findShrink(listed(4), listed(1), half), words);
});

test('a limit of 1 turns a guard off', () => {
  assert.equal(findShrink(config(8, 'a', 'b'), config(1), { customers: 1, hosts: 1 }), null);
});
