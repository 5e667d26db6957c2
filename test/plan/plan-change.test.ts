import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ShardConfig } from '../../src/config/config.ts';
import { planSteps } from '../../src/plan/plan-change.ts';
import type { Twins } from '../../src/plan/plan.ts';
import { dealAnew } from '../../src/shard/deal.ts';
import { shardOf } from '../../src/shard/shard-of.ts';
import { makeConfig } from '../helpers/config.ts';
import { createRandom } from '../helpers/random.ts';
import { referenceShard } from '../shard/reference.ts';
import { customers, hosts, listed, plan, policy } from './support.ts';
import { noLimits } from '../../src/plan/limits.ts';

const named = (sizes: Record<string, number>): { customers: ReadonlyMap<string, number> } => ({
  customers: new Map(Object.entries(sizes)),
});

test('each named customer that moves, and how', () => {
  const before = listed(hosts(8), named({ a: 2, b: 3, c: 2, gone: 4, same: 2 }));
  const after = listed(hosts(8), named({ a: 3, b: 2, c: 2, same: 2, more: 2 }));
  const { named: found, customers: changed, changes } = plan(before, after);
  assert.equal(changes, true);
  assert.deepEqual(
    found.moves.map(({ customer, kind, kept }) => [customer, kind, kept]),
    [
      ['a', 'grown', 2],
      ['b', 'shrunk', 2],
      ['gone', 'shrunk', 2],
    ],
  );
  const [first] = found.moves;
  assert.deepEqual(
    first!.before,
    shardOf(before, 'a').map((slot) => slot + 1),
  );
  assert.deepEqual(
    first!.after,
    shardOf(after, 'a').map((slot) => slot + 1),
  );
  assert.deepEqual([found.of, found.looked, found.moved], [6, 6, 3]);
  assert.deepEqual(changed, {
    total: { before: 5, after: 5 },
    added: { count: 1, some: ['more'] },
    removed: { count: 1, some: ['gone'] },
    resized: { count: 2, some: ['a', 'b'] },
    redealt: { count: 0, some: [] },
    unquarantined: { count: 0, some: [] },
  });
});

test('a file with other words and the same values changes nothing; a value of the runtime does', () => {
  const one = makeConfig({ ...named({ a: 2, b: 3 }), runtime: new Map([['x.y', 1]]) });
  const turned = makeConfig({ ...named({ b: 3, a: 2 }), runtime: new Map([['x.y', 1]]) });
  assert.equal(plan(one, turned).changes, false);
  const other = plan(one, { ...one, runtime: new Map([['x.z', [1]]]) });
  assert.deepEqual([other.changes, other.named.moved, other.runtime], [true, 0, { count: 2, some: ['x.y', 'x.z'] }]);
});

test('a deal, a quarantine: dealt anew, who is freed, and no twins among those that are set apart', () => {
  const all = new Map([...customers(300)]);
  const before = listed(hosts(10), { customers: all, quarantineHosts: 2 });
  const dealt = plan(before, { ...before, deals: new Map([['customer-7', 1]]) });
  assert.deepEqual(
    dealt.named.moves.map(({ customer, kind }) => [customer, kind]),
    [['customer-7', 're-dealt']],
  );
  assert.deepEqual(dealt.customers.redealt, { count: 1, some: ['customer-7'] });
  assert.deepEqual([dealt.unnamed.moved, dealt.unnamed.formula!.moved], [0, 0]);

  const after = { ...before, quarantined: new Set(['customer-7', 'customer-8']) };
  const apart = plan(before, after);
  assert.equal(apart.changes, true);
  const slots = new Set(shardOf(before, 'customer-7'));
  const shared = [...all.keys()].filter(
    (id) => id !== 'customer-7' && shardOf(before, id).some((slot) => slots.has(slot)),
  );
  const [first] = apart.quarantined;
  assert.deepEqual(first!.customer, 'customer-7');
  assert.deepEqual(first!.named, { before: shared.length, after: 1 });
  assert.equal(first!.unnamed.after, 0);
  assert.ok(Math.abs(first!.unnamed.before - (1 - (6 * 5) / (8 * 7))) < 0.03);
  assert.ok(apart.twins.after.worst.every(({ customers: ids }) => !ids.includes('customer-8')));
  assert.deepEqual(apart.hosts.quarantine, { before: 2, after: 2 });
  assert.deepEqual(plan(after, before).customers.unquarantined, { count: 2, some: ['customer-7', 'customer-8'] });
});

test('the most hosts that two share: each with each, and what deals bring it to', () => {
  const config = makeConfig({ totalHosts: 20, customers: customers(60, 4) });
  const mostOf = (of: ShardConfig): number => {
    const shards = [...of.customers.keys()].map((id) => new Set(shardOf(of, id)));
    const shared = shards.flatMap((shard, i) => shards.slice(i + 1).map((other) => shard.intersection(other).size));
    return Math.max(...shared);
  };
  const { deals } = dealAnew(config, { overlap: 2, before: null });
  const dealt = { ...config, deals };
  assert.deepEqual(plan(config, dealt).mostShared, { before: mostOf(config), after: mostOf(dealt) });
  assert.equal(plan(config, dealt).mostShared.after, 2);
  assert.deepEqual(plan(config, dealt, { maxPairs: 100 }).mostShared, { before: null, after: null });
});

test('hosts set apart for a quarantine move who had them, as the formula says', () => {
  const { unnamed, hosts: changed } = plan(listed(hosts(10)), listed(hosts(10), { quarantineHosts: 2 }));
  assert.ok(Math.abs(unnamed.formula!.moved - (1 - (8 * 7) / (10 * 9))) < 1e-9);
  assert.ok(Math.abs(unnamed.moved / unnamed.looked - unnamed.formula!.moved) < 0.03);
  assert.deepEqual(
    [changed.open, changed.drained],
    [
      { before: 10, after: 8 },
      { before: 0, after: 0 },
    ],
  );
});

test('who keeps no old host, and on how many hosts a customer is meanwhile', () => {
  const before = listed(hosts(8), { customers: customers(200) });
  const { named: found } = plan(before, listed([...hosts(4), ...hosts(12).slice(8)], { customers: customers(200) }));
  const none = [...before.customers.keys()].filter((id) => shardOf(before, id).every((slot) => slot >= 4));
  assert.equal(found.keepNone, none.length);
  assert.equal(found.union.largest, 4);
  const sum = [...before.customers.keys()].map((id) => 2 + shardOf(before, id).filter((slot) => slot >= 4).length);
  assert.ok(Math.abs(found.union.mean - sum.reduce((a, b) => a + b) / 200) < 1e-9);
});

test('what becomes of the list of hosts', () => {
  const of = (before: ShardConfig, after: ShardConfig) => {
    const { added, removed, displaced, isComparable } = plan(before, after, { sample: 10 }).hosts;
    return [added, removed, displaced, isComparable];
  };
  assert.deepEqual(of(listed(hosts(8)), listed(hosts(9))), [1, 0, 0, true]);
  assert.deepEqual(of(listed(hosts(8)), listed(['x:1', ...hosts(8)])), [1, 0, 8, true]);
  assert.deepEqual(of(listed(hosts(8)), listed(hosts(8).toReversed())), [0, 0, 8, true]);
  assert.deepEqual(of(listed(hosts(8)), listed(['', ...hosts(8).slice(1)])), [0, 1, 0, true]);
  assert.deepEqual(of(makeConfig(), makeConfig({ totalHosts: 6 })), [0, 2, 0, true]);
  assert.deepEqual(of(makeConfig(), listed(hosts(8))), [8, 8, 0, false]);
});

/** By the definition in docs/design.md, each with each. */
function twinsBySlowProgram(count: number, totalHosts: number, size: number): Omit<Twins, 'worst'> {
  const shards = Array.from({ length: count }, (_, i) =>
    referenceShard(`customer-${i}`, totalHosts, size)
      .toSorted((a, b) => a - b)
      .join(),
  );
  let pairs = 0;
  const twins = new Set<number>();
  for (let i = 0; i < count; i++)
    for (let j = i + 1; j < count; j++)
      if (shards[i] === shards[j]) {
        pairs += 1;
        twins.add(i).add(j);
      }
  return { customers: twins.size, pairs };
}

test('twins agree with a slow program that shares no line, and the worst groups come first', () => {
  const { after } = plan(makeConfig(), makeConfig({ totalHosts: 12, customers: customers(400) }), { sample: 10 }).twins;
  const { customers: count, pairs, worst } = after;
  assert.deepEqual({ customers: count, pairs }, twinsBySlowProgram(400, 12, 2));
  assert.equal(worst.length, 5);
  assert.deepEqual(
    worst.map(({ size }) => size),
    worst.map(({ size }) => size).toSorted((a, b) => b - a),
  );
  for (const { hosts: numbers, customers: ids } of worst)
    for (const id of ids)
      assert.deepEqual(
        referenceShard(id, 12, 2)
          .map((slot) => slot + 1)
          .toSorted((a, b) => a - b),
        numbers,
      );
});

test('10,000 customers on 50 hosts, 4 each: 236 pairs share all their hosts', () => {
  const config = makeConfig({ totalHosts: 50, customers: customers(10_000, 4) });
  assert.equal(plan(config, config, { sample: 10 }).twins.after.pairs, 236);
});

test('load: of the named customers, or of the sample where few are named; drained hosts count for nothing', () => {
  const few = plan(makeConfig(), listed(hosts(8), named({ a: 2 })));
  assert.deepEqual([few.load.after.of, few.load.after.customers], ['sample', 10_000]);
  const config = listed(hosts(8), { customers: customers(100), drained: [2] });
  const { after } = plan(makeConfig(), config).load;
  const counts = Array.from(
    { length: 8 },
    (_, slot) => [...config.customers.keys()].filter((id) => shardOf(config, id).includes(slot)).length,
  );
  assert.deepEqual(after.hosts, counts);
  assert.deepEqual([after.of, after.customers, after.mean, after.max], ['named', 100, 200 / 7, Math.max(...counts)]);
  assert.deepEqual(after.hottest, { number: counts.indexOf(after.max) + 1, host: hosts(8)[counts.indexOf(after.max)] });
});

test('the strategy is the one that the rules pick, or the trailer', () => {
  const rules = [{ moved: 0.2, strategy: 'careful' }];
  const [before, after] = [listed(hosts(8)), listed(hosts(9))];
  const { strategy } = plan(before, after, { policy: { ...policy, rules } });
  assert.equal(strategy.name, 'careful');
  assert.match(strategy.reason, /^2[0-9.]+ % of the customers change hosts, more than 20 %$/);
  assert.equal(plan(before, after).strategy.name, 'all-at-once');
  assert.equal(plan(before, after, { trailer: 'customers' }).strategy.name, 'customers');
});

test('limits: each is told with its numbers, and what was as bad before breaks none', () => {
  const limited = (before: ShardConfig, after: ShardConfig, limits: object) =>
    plan(before, after, { sample: 1000, limits: { ...noLimits, ...limits } }).excesses.map(({ message }) => message);
  const [before, after] = [listed(hosts(8)), listed(hosts(9))];
  assert.deepEqual(limited(before, after, { moved: 0.2 }), ['22.22 % of the customers change hosts, more than 20 %']);
  assert.deepEqual(limited(before, after, { moved: 0.23 }), []);
  const some = listed(hosts(8), { customers: customers(4) });
  const grown = listed(hosts(8), { customers: new Map([...customers(4), ['customer-1', 3], ['customer-2', 4]]) });
  assert.deepEqual(limited(some, grown, { moved: 0.4 }), ['50 % of the named customers change hosts, more than 40 %']);

  const many = listed(hosts(8), { customers: customers(30) });
  const more = listed(hosts(8), { customers: customers(60) });
  const [few, all] = [plan(many, more).twins.before.customers, plan(many, more).twins.after.customers];
  assert.deepEqual(limited(many, more, { twins: few }), [
    `${all} named customers share all their hosts with another (before: ${few}), more than ${few}`,
  ]);
  assert.deepEqual(limited(more, many, { twins: 0 }), []);
  assert.deepEqual(limited(more, more, { twins: 0, load: 1 }), []);
  const [uneven] = limited(more, many, { load: 1.1 });
  assert.match(uneven!, /^the hottest host has 1\.\d+ times the mean of customers \(before: 1\.\d+\), more than 1\.1$/);
});

/** A random config of up to 12 hosts. */
function randomConfig(next: () => number): ShardConfig {
  const pick = (most: number): number => Math.floor(next() * most);
  const pool = hosts(14);
  const count = 2 + pick(11);
  const all = next() < 0.5 ? pool.slice(0, count) : pool.toSorted(() => next() - 0.5).slice(0, count);
  const sizes = Array.from({ length: pick(40) }, (): [string, number] => [`customer-${pick(60)}`, 1 + pick(5)]);
  const drained = next() < 0.3 ? { drained: [pick(count)] } : {};
  return listed(all, { customers: new Map(sizes), defaultShardSize: 1 + pick(4), ...drained });
}

test('of random changes, each number is what a plain count of all names gives', () => {
  const random = createRandom();
  for (let round = 0; round < 200; round++) {
    const [before, after] = [randomConfig(random.next), randomConfig(random.next)];
    const names = [...new Set([...before.customers.keys(), ...after.customers.keys()])];
    const setsOf = (id: string) =>
      [before, after].map((config) => new Set(shardOf(config, id).map((slot) => config.hosts![slot])));
    const { named: found, unnamed } = plan(before, after, { sample: 50 });
    const expected = { moved: 0, grown: 0, shrunk: 0, none: 0 };
    for (const id of names) {
      const [old, now] = setsOf(id) as [Set<string>, Set<string>];
      const [more, fewer] = [old.isSubsetOf(now), now.isSubsetOf(old)];
      if (more && fewer) continue;
      expected.moved += 1;
      if (more) expected.grown += 1;
      else if (fewer) expected.shrunk += 1;
      if (old.isDisjointFrom(now)) expected.none += 1;
    }
    const { moved, kinds, keepNone } = found;
    const numbers = { moved, grown: kinds.grown, shrunk: kinds.shrunk, none: keepNone };
    assert.deepEqual(numbers, expected, `seed ${random.seed}, round ${round}`);
    assert.equal(moved, found.moves.length);
    assert.equal(unnamed.looked, 50);
  }
});

test('too many customers on too many hosts: some are looked at, evenly, and it says how many', () => {
  const config = makeConfig({ customers: customers(1000) });
  const { named: found } = plan(config, { ...config, totalHosts: 9 }, { maxScores: 50_000 });
  assert.ok(found.looked > 50 && found.looked < 1000, `${found.looked}`);
  assert.equal(found.of, 1000);
});

test('it goes in steps, and says how far it is', () => {
  const config = makeConfig({ totalHosts: 100, customers: customers(5000, 4) });
  const steps = planSteps(config, { ...config, totalHosts: 101 }, { policy, limits: noLimits });
  const parts: number[] = [];
  for (let step = steps.next(); !step.done; step = steps.next()) parts.push(step.value);
  assert.ok(parts.length > 20);
  assert.deepEqual(
    parts,
    parts.toSorted((a, b) => a - b),
  );
  assert.ok(parts.every((part) => part > 0 && part <= 1));
});
