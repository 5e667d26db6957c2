import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ShardConfig } from '../../src/config/config.ts';
import { impactOf, namedLost, othersLost, type Failing, type Impact } from '../../src/plan/impact.ts';
import { shardOf } from '../../src/shard/shard-of.ts';
import { makeConfig } from '../helpers/config.ts';
import { customers, finish, hosts, listed } from './support.ts';

function look(config: ShardConfig, slots: readonly number[], customer: string | null = null, budget?: number): Impact {
  const failing: Failing = { slots: new Set(slots), customer };
  return finish(impactOf(config, failing, budget === undefined ? {} : { budget }));
}

test('each named customer is counted by the hosts that it has left', () => {
  const config = listed(hosts(12), { customers: customers(500, 3) });
  const down = new Set([2, 6, 7]);
  const { named } = look(config, [...down]);
  const left = new Map<number, string[]>();
  for (const customer of config.customers.keys()) {
    const rest = shardOf(config, customer).filter((slot) => !down.has(slot)).length;
    left.set(rest, [...(left.get(rest) ?? []), customer]);
  }
  assert.deepEqual(
    named.left,
    [0, 1, 2].map((rest) => ({ left: rest, count: left.get(rest)?.length, some: left.get(rest) })),
  );
  assert.equal(named.untouched, left.get(3)?.length);
  assert.deepEqual([named.of, named.looked], [500, 500]);
  assert.deepEqual(
    named.shared,
    [3, 2, 1, 0].map((shared) => ({ shared, count: left.get(3 - shared)?.length })),
  );
});

test('who is not named: the formula agrees with 20,000 of them to 1 % of all', () => {
  const shapes: [ShardConfig, number[]][] = [
    [makeConfig({ totalHosts: 8, defaultShardSize: 2 }), [2, 6]],
    [makeConfig({ totalHosts: 50, defaultShardSize: 4 }), [0, 9, 10, 11, 49]],
    [makeConfig({ totalHosts: 8, defaultShardSize: 3, drained: [6] }), [1, 2, 6]],
    [makeConfig({ totalHosts: 10, defaultShardSize: 2, quarantineHosts: 2, quarantined: new Set(['q']) }), [3, 4, 9]],
  ];
  for (const [config, down] of shapes) {
    const { others } = look(config, down);
    const counts = new Map<number, number>();
    for (let i = 0; i < 20_000; i++) {
      const slots = shardOf(config, `id-${i}`);
      const left = slots.filter((slot) => !down.includes(slot)).length;
      counts.set(left, (counts.get(left) ?? 0) + 1);
    }
    assert.ok(Math.abs(others.left.reduce((sum, { part }) => sum + part, 0) - 1) < 1e-6);
    for (const { left, part } of others.left)
      assert.ok(Math.abs(part - (counts.get(left) ?? 0) / 20_000) < 0.01, `${left}: ${part} ${counts.get(left)}`);
  }
});

test('a poison customer is not counted, and its twins have nothing left', () => {
  const config = makeConfig({ totalHosts: 4, customers: customers(60) });
  const slots = shardOf(config, 'customer-7');
  const impact = look(config, slots, 'customer-7');
  const twins = [...config.customers.keys()].filter(
    (id) => id !== 'customer-7' && shardOf(config, id).every((slot) => slots.includes(slot)),
  );
  assert.equal(impact.named.of, 59);
  assert.deepEqual(namedLost(impact).some, twins);
  assert.ok(twins.length > 0);
  assert.ok(Math.abs(othersLost(impact) - 1 / 6) < 1e-9);
});

test('a quarantined customer takes nobody with it, and the hosts of the others do not touch it', () => {
  const config = makeConfig({ quarantineHosts: 2, quarantined: new Set(['bad']), customers: customers(200) });
  const alone = look(config, shardOf(config, 'bad'), 'bad');
  assert.deepEqual([alone.named.left, alone.named.untouched, othersLost(alone)], [[], 200, 0]);
  const rest = look(config, [0, 1, 2, 3, 4, 5]);
  assert.deepEqual([rest.named.of, rest.named.untouched, namedLost(rest).count], [201, 1, 200]);
  assert.equal(othersLost(rest), 1);
});

test('a drained host is nobody’s, which is told', () => {
  const impact = look(listed(hosts(4), { drained: [1], customers: customers(50) }), [1]);
  assert.deepEqual(impact.down, [{ number: 2, host: '10.0.0.2:80', unused: true }]);
  assert.equal(impact.named.untouched, 50);
  assert.deepEqual(impact.others.left, [{ left: 2, part: 1 }]);
});

test('of too many customers some are looked at, and names are bounded', () => {
  const config = makeConfig({ customers: customers(5000) });
  const some = look(config, [0], null, 100_000).named;
  assert.ok(some.looked >= 100 && some.looked < 1000, String(some.looked));
  assert.equal(some.of, 5000);
  const all = look(config, [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.equal(namedLost(all).count, 5000);
  assert.equal(namedLost(all).some.length, 1000);
});
