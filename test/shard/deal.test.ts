import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { namedCustomers, type ShardConfig } from '../../src/config/config.ts';
import { coverPairs } from '../../src/shard/cover.ts';
import { dealAnew, type Dealing } from '../../src/shard/deal.ts';
import { slotsIn, viewOf } from '../../src/shard/shard-of.ts';
import { makeConfig } from '../helpers/config.ts';
import { referenceShard } from './reference.ts';

const named = (count: number, size: number) =>
  new Map(Array.from({ length: count }, (_, i) => [`customer-${i}`, size]));
const applied = (config: ShardConfig, { deals }: Dealing): ShardConfig => ({
  ...config,
  deals: new Map([...(config.deals ?? []), ...deals]),
});
const choices = (n: number): number => (n * (n - 1)) / 2;
const sum = (numbers: Iterable<number>): number => [...numbers].reduce((a, b) => a + b, 0);

/** Pairs that share more than `overlap` hosts (null: all of both), each compared with each. */
function countPairs(config: ShardConfig, overlap: number | null): number {
  const view = viewOf({ ...config, quarantined: new Set() });
  const sets = [...namedCustomers(config).keys()].map((id) => new Set(slotsIn(view, id)));
  let pairs = 0;
  for (const [i, a] of sets.entries())
    for (const b of sets.slice(0, i)) {
      const shared = a.intersection(b).size;
      if (overlap === null ? shared === a.size && shared === b.size : shared > overlap) pairs += 1;
    }
  return pairs;
}

test('10,000 customers, 50 hosts, 4 each: twins and deals are as an independent program finds them, and none are left', () => {
  const config = makeConfig({ totalHosts: 50, customers: named(10_000, 4) });
  const groups = (shards: Iterable<number[]>) =>
    Map.groupBy(shards, (slots) => slots.toSorted((a, b) => a - b).join())
      .values()
      .map(({ length }) => length)
      .toArray();
  const ids = [...config.customers.keys()];
  const before = groups(ids.map((id) => referenceShard(id, 50, 4)));
  const found = dealAnew(config, { overlap: null, before: null });
  assert.equal(sum(before.map(choices)), 236);
  assert.deepEqual([found.customers, found.pairs, found.pairsLeft, found.impossible], [10_000, 236, 0, null]);
  // of each group one stays
  assert.equal(found.deals.size, sum(before.map((size) => size - 1)));
  assert.ok(Math.abs(found.deals.size - 234) <= 0.05 * 234);
  const texts = ids.map((id) => (found.deals.has(id) ? `${id}#${found.deals.get(id)}` : id));
  assert.equal(sum(groups(texts.map((text) => referenceShard(text, 50, 4))).map(choices)), 0);
  assert.deepEqual(dealAnew(config, { overlap: 3, before: null }), found, 'of equal sizes, all but one is the same');
  assert.equal(dealAnew(applied(config, found), { overlap: null, before: null }).deals.size, 0);
});

const configs = fc
  .record({
    totalHosts: fc.integer({ min: 6, max: 40 }),
    count: fc.integer({ min: 0, max: 60 }),
    sizes: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
    dealt: fc.uniqueArray(fc.integer({ min: 0, max: 70 }), { maxLength: 8 }),
    drained: fc.boolean(),
    quarantineHosts: fc.integer({ min: 0, max: 1 }),
  })
  .map(({ count, sizes, dealt, drained, ...shape }) =>
    makeConfig({
      ...shape,
      customers: new Map(Array.from({ length: count }, (_, i) => [`c${i}`, sizes[i % sizes.length]!])),
      deals: new Map(dealt.map((i) => [`c${i}`, 1 + (i % 3)])),
      ...(drained && { drained: [2] }),
      quarantined: new Set(shape.quarantineHosts > 0 ? ['c1', 'c5'] : []),
    }),
  );
const overlaps = fc.option(fc.integer({ min: 0, max: 4 }), { nil: null });

test('whatever the sizes are: it counts pairs as each compared with each does, and what it says is left is left', () => {
  const met = { reached: 0, impossible: 0 };
  fc.assert(
    fc.property(configs, overlaps, (config, overlap) => {
      const found = dealAnew(config, { overlap, before: null });
      assert.equal(found.pairs, countPairs(config, overlap));
      assert.equal(found.pairsLeft, countPairs(applied(config, found), overlap));
      assert.deepEqual(dealAnew(config, { overlap, before: null }), found, 'the same each time');
      for (const { customers, shared } of found.left) {
        const view = viewOf({ ...applied(config, found), quarantined: new Set() });
        const [a, b] = customers.map((id) => slotsIn(view, id));
        assert.equal(a!.filter((slot) => b!.includes(slot)).length, shared);
      }
      if (found.pairs === 0) assert.equal(found.deals.size, 0);
      for (const [id, deal] of found.deals) assert.ok(deal > (config.deals?.get(id) ?? 0));
      met[found.impossible === null ? 'reached' : 'impossible'] += 1;
    }),
    { numRuns: 300 },
  );
  assert.ok(met.reached > 50 && met.impossible > 5, JSON.stringify(met));
});

test('one more customer: that one alone is dealt anew, whatever its id is and wherever it stands', () => {
  let dealt = 0;
  const id = fc.oneof(fc.integer({ min: 0, max: 9999 }).map(String), fc.string({ minLength: 1, maxLength: 8 }));
  fc.assert(
    fc.property(configs, overlaps, id, fc.integer({ min: 1, max: 5 }), (config, overlap, added, size) => {
      const first = dealAnew(config, { overlap, before: null });
      fc.pre(first.pairsLeft === 0 && !namedCustomers(config).has(added));
      const before = applied(config, first);
      for (const customers of [
        new Map([[added, size], ...before.customers]),
        new Map([...before.customers, [added, size]]),
      ]) {
        const { deals, pairsLeft } = dealAnew({ ...before, customers }, { overlap, before });
        if (pairsLeft > 0) continue;
        assert.ok(
          [...deals.keys()].every((customer) => customer === added),
          [...deals.keys()].join(),
        );
        dealt += deals.size;
      }
    }),
    { numRuns: 500 },
  );
  assert.ok(dealt > 20, `${dealt}`);
});

test('without a committed config, the one that comes last in the file is dealt anew', () => {
  const config = makeConfig({ totalHosts: 12, customers: named(60, 3) });
  const before = applied(config, dealAnew(config, { overlap: null, before: null }));
  let dealt = 0;
  for (let i = 60; i < 200; i++) {
    const customers = new Map([...before.customers, [`customer-${i}`, 3]]);
    const { deals } = dealAnew({ ...before, customers }, { overlap: null, before: null });
    assert.ok([...deals.keys()].every((customer) => customer === `customer-${i}`));
    dealt += deals.size;
  }
  assert.ok(dealt > 20);
});

test('a bound that can’t be reached is said with the count that shows it, and with pairs', () => {
  const config = makeConfig({ totalHosts: 50, customers: named(10_000, 4) });
  const { impossible, pairsLeft, deals, left } = dealAnew(config, { overlap: 2, before: null });
  assert.equal(
    impossible,
    'their shards hold 40000 sets of 3 hosts, each of which only one may have, and there are 19600',
  );
  assert.equal(pairsLeft, countOfMoreThan2);
  assert.deepEqual([deals.size, left.length], [0, 20]);
  assert.ok(left.every(({ shared }) => shared > 2));
  const all = dealAnew(makeConfig({ customers: named(3, 8) }), { overlap: null, before: null });
  assert.equal(all.impossible, '3 customers have shards of 8, and 8 hosts make 1 of them');
  const none = dealAnew(makeConfig({ customers: named(5, 2) }), { overlap: 0, before: null });
  assert.equal(none.impossible, 'their shards hold 10 hosts, each of which only one may have, and there are 8');
});

/** Of 10,000: each expects 10,000 x (C(4,3) x 46 + 1) / C(50,4) others. As countPairs says, which takes some seconds. */
const countOfMoreThan2 = 40_397;

test('a bound that counting allows and no draw reaches: what is left is said', () => {
  // 7 shards of 3 among 7 hosts that share one at most are the Fano plane: too much to ask of draws
  const { impossible, pairsLeft, left } = dealAnew(makeConfig({ totalHosts: 7, customers: named(7, 3) }), {
    overlap: 1,
    before: null,
  });
  assert.equal(impossible, null);
  assert.ok(pairsLeft > 0 && left.length === Math.min(20, pairsLeft));
});

test('a cover leaves no pair, and takes the fewest of groups', () => {
  const pairs = fc.array(fc.tuple(fc.nat(30), fc.nat(30)).filter(([a, b]) => a !== b));
  fc.assert(
    fc.property(pairs, (some) => {
      const unique = [
        ...new Map(some.map(([a, b]) => [`${Math.min(a, b)},${Math.max(a, b)}`, [a, b] as const])).values(),
      ];
      const taken = coverPairs(
        unique,
        Array.from({ length: 31 }, (_, i) => i),
      );
      assert.ok(unique.every(([a, b]) => taken.has(a) || taken.has(b)));
    }),
  );
  const group = [0, 1, 2, 3].flatMap((a) => [0, 1, 2, 3].filter((b) => b < a).map((b) => [b, a] as const));
  assert.deepEqual(coverPairs([...group, [8, 9]], [5, 6, 1, 2, 0, 0, 0, 0, 8, 7]), new Set([2, 3, 0, 9]));
});
