import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assignShard } from '../../src/shard/assign.ts';
import { createShards, shardOf } from '../../src/shard/shard-of.ts';
import { makeConfig } from '../helpers/config.ts';
import { shardVectors } from './vectors.ts';

test('the golden vectors: size and drained slots are of the config', () => {
  for (const { customer, totalHosts, shardSize, drained = [], slots } of shardVectors) {
    const config = makeConfig({ totalHosts, customers: new Map([[customer, shardSize]]), drained });
    assert.deepEqual(shardOf(config, customer), slots, customer);
    assert.deepEqual(createShards(config)(customer), slots, customer);
  }
});

test('who is not named has the default size, and a vacant slot is as good as drained', () => {
  const hosts = Array.from({ length: 8 }, (_, i) => (i === 7 ? '' : `10.0.0.${i}:80`));
  const drained = new Set([7]);
  assert.deepEqual(
    shardOf(makeConfig({ hosts }), 'x'),
    assignShard({ customer: 'x', totalHosts: 8, shardSize: 2, drained }),
  );
});

test('a size beyond the slots that are left is cut to them, and nobody has a shard where none are', () => {
  assert.deepEqual(shardOf(makeConfig({ totalHosts: 3, drained: [0, 1], defaultShardSize: 3 }), 'x'), [2]);
  assert.deepEqual(shardOf(makeConfig({ totalHosts: 1, drained: [0] }), 'x'), []);
});
