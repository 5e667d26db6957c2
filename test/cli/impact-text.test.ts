import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatImpact, type ImpactSource, type ShownImpact } from '../../src/cli/impact-text.ts';
import type { ShardConfig } from '../../src/config/config.ts';
import { impactOf } from '../../src/plan/impact.ts';
import { shardOf } from '../../src/shard/shard-of.ts';
import { makeConfig } from '../helpers/config.ts';
import { finish } from '../plan/support.ts';

const version = '8b144b1f5dbf8b144b1f5dbf8b144b1f5dbf8b14';
const live: ImpactSource = { kind: 'live', since: '2026-01-02T03:04:05.678Z', at: null, note: null };

function shown(config: ShardConfig, slots: readonly number[], changes: Partial<ShownImpact> = {}): ShownImpact {
  const { customer = null } = changes;
  const impact = finish(impactOf(config, { slots: new Set(slots), customer }));
  return { impact, version, subject: 'Begin', source: live, customer, ...changes };
}

const plain = { full: false, color: false };
const many = (count: number, size = 2, name = 'customer'): ReadonlyMap<string, number> =>
  new Map(Array.from({ length: count }, (_, i) => [`${name}-${i}`, size]));

test('the first line can be pasted, then where it is from, the table, and the names', () => {
  const config = makeConfig({ customers: many(60) });
  assert.equal(
    formatImpact(shown(config, [2, 6]), plain),
    [
      '2 of 8 hosts down (3,7): nothing left for 1 of 60 named, 3.57 % of others',
      '8b144b1f5dbf, live since 2026-01-02T03:04:05Z: Begin',
      '',
      'hosts left         60 named               others (2 of 8 each)',
      '  none             1 (1.67 %)             3.57 %',
      '  1                26 (43.3 %)            42.9 %',
      '  all of theirs    33 (55 %)              53.6 %',
      '',
      'nothing left (1): customer-57',
      '',
      '1 host left (26): customer-1, customer-5, customer-7, customer-10, customer-13,',
      '  customer-16, customer-18, customer-19, customer-20, customer-21, customer-30,',
      '  customer-31, customer-32, customer-34, customer-35, customer-36, customer-38,',
      '  customer-42, customer-43, customer-44, customer-48, customer-50, customer-51,',
      '  customer-52, customer-54, customer-55',
    ].join('\n'),
  );
});

test('the first screen fits, whatever the config; --full names more', () => {
  const long = 'x'.repeat(70);
  const config = makeConfig({
    totalHosts: 1000,
    hosts: Array.from({ length: 1000 }, (_, i) => `10.0.${i >> 8}.${i & 255}:8080`),
    customers: new Map([...many(3000, 8), ...many(500, 900), [`${long}\u001b[2J`, 1]]),
    drained: [4],
  });
  const texts = [
    formatImpact(
      shown(
        config,
        Array.from({ length: 900 }, (_, i) => i),
      ),
      plain,
    ),
    formatImpact(shown(config, shardOf(config, long), { customer: long, subject: long + long }), plain),
    formatImpact(shown(config, [4], { source: { ...live, note: `${long} ${long} ${long}`, at: live.since } }), plain),
  ];
  for (const text of texts) {
    const lines = text.split('\n');
    assert.ok(lines.length <= 25, text);
    for (const line of lines) assert.ok(line.length <= 80, line);
    // eslint-disable-next-line no-control-regex -- nothing that moves the cursor
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f]/);
  }
  const all = formatImpact(
    shown(
      config,
      Array.from({ length: 900 }, (_, i) => i),
    ),
    { ...plain, full: true },
  );
  assert.ok(all.split('\n').length > 25);
  assert.match(all, /nothing left \([\d,]+\): /);
});

test('nobody is left without a host', () => {
  const first = (config: ShardConfig, slots: number[], customer: string | null = null) =>
    formatImpact(shown(config, slots, { customer }), plain).split('\n')[0];
  const config = makeConfig({ customers: many(20) });
  assert.equal(first(config, [2]), '1 of 8 hosts down (3): everybody has a host left, 3 of 20 named lack one');
  assert.equal(first(makeConfig(), [2]), '1 of 8 hosts down (3): everybody has a host left, 25 % lack one');
  assert.equal(first(makeConfig(), [2, 3]), '2 of 8 hosts down (3,4): nothing left for 3.57 % of the customers');
  assert.equal(
    first(config, shardOf(config, 'customer-3'), 'customer-3'),
    'customer-3 takes 2 hosts (6,8): nothing left for 2 of 19 named, 3.57 % of others',
  );
});
