import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { assignShard, rankSlots } from '../../src/shard/assign.ts';
import { referenceShard } from './reference.ts';
import { shardVectors } from './vectors.ts';

test('the golden vectors hold', () => {
  for (const { slots, drained = [], ...request } of shardVectors) {
    assert.deepEqual(assignShard({ ...request, drained: new Set(drained) }), slots, JSON.stringify(request));
    assert.deepEqual(referenceShard(request.customer, request.totalHosts, request.shardSize, drained), slots);
  }
  assert.ok(shardVectors.filter(({ drained }) => drained).length >= 20);
});

const customer = fc.string({ unit: 'binary', minLength: 1, maxLength: 80 });

test('any shard is the one of the definition', () => {
  fc.assert(
    fc.property(customer, fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 250 }), (id, total, size) => {
      const shard = assignShard({ customer: id, totalHosts: total, shardSize: size });
      assert.deepEqual(shard, referenceShard(id, total, size));
    }),
    { numRuns: 300 },
  );
});

test('draining a slot changes one member of the shards that have it, and no other', () => {
  fc.assert(
    fc.property(customer, fc.integer({ min: 2, max: 200 }), fc.nat(), fc.nat(), (id, total, pick, slot) => {
      const request = { customer: id, totalHosts: total, shardSize: 1 + (pick % (total - 1)) };
      const before = assignShard(request);
      const after = assignShard({ ...request, drained: new Set([slot % total]) });
      const kept = before.filter((member) => member !== slot % total);
      assert.deepEqual(after.slice(0, kept.length), kept);
      assert.equal(after.length, before.length);
      assert.ok(!after.includes(slot % total));
    }),
  );
});

test('what is left of the slots bounds a shard', () => {
  const drained = new Set([0, 2, 3, 99]);
  assert.deepEqual(assignShard({ customer: 'x', totalHosts: 4, shardSize: 3, drained }), [1]);
  assert.deepEqual(assignShard({ customer: 'x', totalHosts: 1, shardSize: 1, drained: new Set([0]) }), []);
});

test('a bigger shard keeps its members, in order', () => {
  fc.assert(
    fc.property(customer, fc.integer({ min: 2, max: 500 }), fc.nat(), (id, total, pick) => {
      const size = 1 + (pick % (total - 1));
      const small = assignShard({ customer: id, totalHosts: total, shardSize: size });
      const big = assignShard({ customer: id, totalHosts: total, shardSize: size + 1 });
      assert.deepEqual(big.slice(0, size), small);
    }),
  );
});

test('one more host either joins a shard in place of one member, or changes nothing', () => {
  fc.assert(
    fc.property(customer, fc.integer({ min: 4, max: 300 }), fc.integer({ min: 1, max: 4 }), (id, total, size) => {
      const before = assignShard({ customer: id, totalHosts: total, shardSize: size });
      const after = assignShard({ customer: id, totalHosts: total + 1, shardSize: size });
      assert.deepEqual(
        after.filter((slot) => slot !== total),
        before.slice(0, after.includes(total) ? size - 1 : size),
      );
    }),
  );
});

test('at 8/2, one more host moves about 2/9 of the customers, and all 28 shards are in use', () => {
  const ids = Array.from({ length: 20_000 }, (_, i) => `customer-${i}`);
  const shard = (id: string, total: number) => assignShard({ customer: id, totalHosts: total, shardSize: 2 });
  const key = (slots: number[]) => [...slots].sort().join();
  const moved = ids.filter((id) => key(shard(id, 8)) !== key(shard(id, 9))).length / ids.length;
  assert.ok(moved > 0.2 && moved < 0.245, `${moved} of the customers moved`);
  assert.equal(new Set(ids.map((id) => key(shard(id, 8)))).size, 28);
  const load = new Map<number, number>();
  for (const slot of ids.flatMap((id) => shard(id, 8))) load.set(slot, (load.get(slot) ?? 0) + 1);
  for (const [slot, count] of load) assert.ok(Math.abs(count / 5000 - 1) < 0.06, `slot ${slot} has ${count} customers`);
});

test('scores fall, and are unsigned 32-bit integers', () => {
  const ranked = rankSlots({ customer: 'acme', totalHosts: 50, shardSize: 50 });
  assert.equal(new Set(ranked.map(({ slot }) => slot)).size, 50);
  ranked.forEach(({ score }, i) => {
    assert.ok(Number.isInteger(score) && score >= 0 && score <= 0xffffffff);
    assert.ok(i === 0 || score <= ranked[i - 1]!.score);
  });
});

test('a size beyond the hosts means all of them', () => {
  assert.deepEqual(assignShard({ customer: 'x', totalHosts: 3, shardSize: 9 }).sort(), [0, 1, 2]);
});

test('numbers that make no sense are refused by name', () => {
  for (const totalHosts of [0, -1, 1.5, NaN, Infinity, 2 ** 20 + 1]) {
    assert.throws(() => assignShard({ customer: 'x', totalHosts, shardSize: 1 }), /^RangeError: totalHosts must be/);
  }
  for (const shardSize of [0, -1, 1.5, NaN]) {
    assert.throws(() => assignShard({ customer: 'x', totalHosts: 8, shardSize }), /^RangeError: shardSize must be/);
  }
});
