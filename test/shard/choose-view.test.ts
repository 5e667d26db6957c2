import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import type { NextView } from '../../src/config/config.ts';
import { chooseView, cutoverOf } from '../../src/shard/choose-view.ts';
import { referenceCutover } from './reference.ts';
import { cutoverVectors } from './vectors.ts';

const config = { totalHosts: 8, defaultShardSize: 2, customers: new Map(), hosts: null, runtime: new Map() };
const next = (cutover: number, ...first: string[]): NextView => ({
  config,
  version: 'b',
  cutover,
  first: new Set(first),
});

test('where a customer stands is the definition', () => {
  for (const { customer, at } of cutoverVectors) assert.equal(cutoverOf(customer), at, customer);
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (id) => {
      assert.equal(cutoverOf(id), referenceCutover(id));
    }),
  );
});

test('the cutover takes that part of the customers, nested', () => {
  const ids = Array.from({ length: 20_000 }, (_, i) => `customer-${i}`);
  const users = (cutover: number) => ids.filter((id) => chooseView(next(cutover), id).isNext);
  assert.equal(users(0).length, 0);
  assert.equal(users(10_000).length, ids.length);
  const tenth = users(1_000);
  assert.ok(Math.abs(tenth.length / ids.length - 0.1) < 0.01, `${tenth.length} of ${ids.length}`);
  const half = new Set(users(5_000));
  assert.ok(tenth.every((id) => half.has(id)));
});

test('why', () => {
  const at = cutoverOf('acme');
  assert.deepEqual(chooseView(null, 'acme'), { isNext: false, reason: 'no-next-view' });
  assert.deepEqual(chooseView(next(at), 'acme'), { isNext: false, reason: 'above-cutover' });
  assert.deepEqual(chooseView(next(at + 1), 'acme'), { isNext: true, reason: 'below-cutover' });
  assert.deepEqual(chooseView(next(0, 'acme'), 'acme'), { isNext: true, reason: 'named-first' });
});
