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
  ['more than half may not', config(8, 'a', 'b', 'c'), config(8, 'a'), 'it removes 2 of 3 customers, more than 50 %'],
  [
    'others that come do not make up for it',
    config(8, 'a', 'b', 'c'),
    config(8, 'x', 'y', 'z'),
    'it removes 3 of 3 customers, more than 50 %',
  ],
  ['no customers before', config(8), config(8), null],
  ['half of the hosts may go', config(8), config(4), null],
  ['more may not', config(8), config(3), 'it shrinks total_hosts from 8 to 3, by more than 50 %'],
  ['growth is free', config(8), config(800, 'a'), null],
];
for (const [name, live, next, words] of cases)
  test(`guard: ${name}`, () => assert.equal(findShrink(live, next, half), words));

test('a limit of 1 turns a guard off', () => {
  assert.equal(findShrink(config(8, 'a', 'b'), config(1), { customers: 1, hosts: 1 }), null);
});
