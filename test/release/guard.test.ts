import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findShrink } from '../../src/release/guard.ts';
import type { Release } from '../../src/release/release.ts';

function release(hosts: number, ...customers: string[]): Release {
  const fields = new Map<string, number>([['shuffle_sharding.total_hosts', hosts]]);
  for (const id of customers) fields.set(`shuffle_sharding.customer.${id}.shard_size`, 2);
  return { version: 'v', subject: '', fields };
}

const half = { customers: 0.5, hosts: 0.5 };
const cases: readonly [name: string, live: Release, next: Release, words: string | null][] = [
  ['nothing changes', release(8, 'a', 'b'), release(8, 'a', 'b'), null],
  ['half of the customers may go', release(8, 'a', 'b'), release(8, 'a'), null],
  ['more than half may not', release(8, 'a', 'b', 'c'), release(8, 'a'), 'it removes 2 of 3 customers, more than 50 %'],
  [
    'others that come do not make up for it',
    release(8, 'a', 'b', 'c'),
    release(8, 'x', 'y', 'z'),
    'it removes 3 of 3 customers, more than 50 %',
  ],
  ['no customers before', release(8), release(8), null],
  ['half of the hosts may go', release(8), release(4), null],
  ['more may not', release(8), release(3), 'it shrinks total_hosts from 8 to 3, by more than 50 %'],
  ['growth is free', release(8), release(800, 'a'), null],
];
for (const [name, live, next, words] of cases)
  test(`guard: ${name}`, () => assert.equal(findShrink(live, next, half), words));

test('a limit of 1 turns a guard off', () => {
  assert.equal(findShrink(release(8, 'a', 'b'), release(1), { customers: 1, hosts: 1 }), null);
});
