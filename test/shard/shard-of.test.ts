import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assignShard } from '../../src/shard/assign.ts';
import { shardOf, slotsIn, viewOf } from '../../src/shard/shard-of.ts';
import { makeConfig } from '../helpers/config.ts';
import { referenceShard } from './reference.ts';
import { dealVectors, shardVectors } from './vectors.ts';

test('the golden vectors: size and drained slots are of the config', () => {
  for (const { customer, totalHosts, shardSize, drained = [], slots } of shardVectors) {
    const config = makeConfig({ totalHosts, customers: new Map([[customer, shardSize]]), drained });
    assert.deepEqual(shardOf(config, customer), slots, customer);
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

test('the golden vectors of deals and quarantine', () => {
  for (const { customer, shardSize, deal, quarantined, slots, ...shape } of dealVectors) {
    const config = makeConfig({
      ...shape,
      customers: new Map([[customer, shardSize]]),
      ...(deal && { deals: new Map([[customer, deal]]) }),
      ...(quarantined && { quarantined: new Set([customer]) }),
    });
    assert.deepEqual(shardOf(config, customer), slots, `${customer} ${JSON.stringify(shape)}`);
  }
});

test('as the definition says, word by word: a deal is the shard of id#N among the slots that are open to the customer', () => {
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  for (const { customer, totalHosts, shardSize, deal, quarantineHosts = 0, drained = [], ...rest } of dealVectors) {
    const first = totalHosts - quarantineHosts;
    const closed = rest.quarantined ? range(0, first) : range(first, totalHosts);
    const every = range(0, totalHosts).every((slot) => closed.includes(slot) || drained.includes(slot));
    const text = deal ? `${customer}#${deal}` : customer;
    const shard = referenceShard(text, totalHosts, shardSize, every ? closed : [...closed, ...drained]);
    assert.deepEqual(rest.slots, shard, JSON.stringify(rest));
  }
});

test('hosts that are set apart are nobody else’s, and a quarantined customer has them alone', () => {
  const quarantined = new Set(['noisy', 'c1']);
  const view = viewOf(makeConfig({ totalHosts: 12, quarantineHosts: 2, quarantined, defaultShardSize: 3 }));
  for (const id of ['noisy', 'c1'])
    assert.deepEqual(
      slotsIn(view, id).toSorted((a, b) => a - b),
      [10, 11],
    );
  for (let i = 2; i < 500; i++) assert.ok(slotsIn(view, `c${i}`).every((slot) => slot < 10));
});
