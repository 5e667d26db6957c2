import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toEnd } from '../../src/cli/operate.ts';
import { formatRollout } from '../../src/cli/rollout-lines.ts';
import { describePlanned, duration } from '../../src/daemon/describe-plan.ts';
import type { RolloutStatus } from '../../src/http/api.ts';
import { everyone } from '../../src/rollout/plan.ts';

const now = Date.UTC(2026, 11, 24, 3);
const ago = (ms: number) => new Date(now - ms).toISOString();
const minute = 60_000;

const baking: RolloutStatus = {
  ...{ version: 'f'.repeat(40), subject: 'S', strategy: 'careful', reason: 'the default', phase: 'baking', wave: 2 },
  waves: ['1 node, 2 min', '10 % of the nodes, 5 min', 'everyone, 10 min'],
  nodes: { reached: 12, connected: 120 },
  customers: null,
  ...{ startedAt: ago(5 * minute), waveAt: ago(3 * minute), bakeUntil: ago(-2 * minute), bakeLeftMs: 2 * minute },
  paused: null,
  waitsFor: 'the end of its bake, in 2 min',
  hint: 'shardplane promote goes on now, pause stops here, abort takes it back',
  checks: [
    { name: 'errors', verdicts: ['pass', 'no_data', 'fail'], message: '9 % of 100, 1 % elsewhere', noDataSince: null },
  ],
  checksOff: null,
};

function lines(rollout: RolloutStatus | null, freeze: Parameters<typeof formatRollout>[0]['freeze'] = null): string[] {
  return formatRollout({ rollout, freeze }, { color: false, now });
}

test('a wave: how far it is, who has it, what it waits for, what to do; in 80 columns', () => {
  const shown = lines(baking);
  assert.deepEqual(shown, [
    'wave   2 of 3 (strategy careful: the default)',
    '       now:  10 % of the nodes, 5 min; begun 3 min ago',
    '       12 of 120 nodes have it',
    '       next: everyone, 10 min',
    'check  errors: pass, no data, FAIL',
    '       9 % of 100, 1 % elsewhere',
    'waits  for the end of its bake, in 2 min',
    '       shardplane promote goes on now, pause stops here, abort takes it back',
  ]);
  for (const line of shown) assert.ok(line.length <= 80, line);
});

test('paused, and in a freeze', () => {
  const paused = { by: 'ann', why: 'p99\u001b[2J', reason: 'operator', since: ago(90_000) } as const;
  const freeze = { until: '2026-12-27T00:00:00.000Z', reason: 'holidays', by: null, since: null };
  assert.deepEqual(
    lines({ ...baking, checks: [], paused, waitsFor: 'an operator, to resume or abort it' }, freeze).slice(4),
    [
      'paused by ann 1 min 30 s ago: p99\\u{1b}[2J',
      'waits  for an operator, to resume or abort it',
      '       shardplane promote goes on now, pause stops here, abort takes it back',
      'frozen until 2026-12-27T00:00:00Z, by the settings: holidays',
      '       no wave begins, and new commits are held; shardplane unfreeze ends it',
    ],
  );
  assert.deepEqual(
    lines(null, { until: null, reason: '', by: 'ann', since: ago(0) })[0],
    'frozen until shardplane unfreeze, by ann',
  );
});

test('customers, a check without a verdict, the built-in one that is off, and no wave yet', () => {
  const customers = { percent: 10, named: ['a', 'b', 'c', 'd', 'e'] };
  const checks = [{ name: 'p99', verdicts: [], message: 'no verdict yet', noDataSince: ago(0) }];
  const checksOff = 'no node sends load reports';
  assert.deepEqual(lines({ ...baking, customers, checks, checksOff }).slice(1, 6), [
    '       now:  10 % of the nodes, 5 min; begun 3 min ago',
    '       12 of 120 nodes have it, for a, b, c and 2 others and 10 % of the customers',
    '       next: everyone, 10 min',
    'check  p99: no verdict yet',
    'check  errors is off: no node sends load reports',
  ]);
  assert.deepEqual(lines({ ...baking, wave: 0, checks: [] }).slice(0, 2), [
    'wave   before the first of 3 (strategy careful: the default)',
    '       next: 1 node, 2 min',
  ]);
});

test('all at once there is no wave to show; an older daemon says nothing of either', () => {
  const once: RolloutStatus = { ...baking, strategy: 'all-at-once', phase: 'pushing', waves: ['everyone'], wave: 1 };
  assert.deepEqual(
    lines({ ...once, waitsFor: '2 nodes to answer, 9 s at most' })[0],
    'waits  for 2 nodes to answer, 9 s at most',
  );
  assert.deepEqual(formatRollout({}, { color: false, now }), []);
});

test('a wave of a plan in words', () => {
  const words = [
    { ...everyone, nodes: { type: 'count', count: 1 }, bakeMs: 2 * minute },
    { ...everyone, nodes: { type: 'share', share: 0.125 }, bakeMs: 90_000, isManual: true },
    { ...everyone, nodes: { type: 'matching', globs: { cluster: 'edge-*', metadata: { 'a.b': 'x' } } } },
    { ...everyone, customers: { type: 'named', ids: ['a', 'b', 'c', 'd'] } },
    { ...everyone, customers: { type: 'share', share: 0.5 }, bakeMs: 3_600_000 },
    everyone,
  ] as const;
  assert.deepEqual(words.map(describePlanned), [
    '1 node, 2 min',
    '12.5 % of the nodes, 1 min 30 s, once promoted',
    'nodes with cluster edge-*, a.b x',
    'customers a, b, c and 1 other',
    '50 % of the customers, 1 h',
    'everyone',
  ]);
  const spans = [-5, 0, 1, 59_001, 60_000, 3_661_000, 86_400_000, 90_000_000];
  assert.deepEqual(spans.map(duration), ['0 s', '0 s', '1 s', '1 min', '1 min', '1 h 1 min', '1 d', '1 d 1 h']);
});

test('when a freeze ends: a duration, or a time, local unless it names its zone', () => {
  assert.equal(toEnd('4h', now), '2026-12-24T07:00:00.000Z');
  assert.equal(toEnd('2027-01-04T08:00Z', now), '2027-01-04T08:00:00.000Z');
  assert.equal(toEnd('2027-01-04T08:00:30+02:00', now), '2027-01-04T06:00:30.000Z');
  assert.equal(toEnd('2027-01-04', now), new Date(2027, 0, 4).toISOString());
  assert.equal(toEnd('2027-01-04T08:00', now), new Date(2027, 0, 4, 8).toISOString());
  for (const text of ['', 'soon', '4', '2027', '04.01.2027', '2027-13-04', '2027-01-04 08:00'])
    assert.throws(() => toEnd(text, now), /must be a duration such as 4h/, text);
  for (const text of ['0s', '2026-12-24T02:59Z']) assert.throws(() => toEnd(text, now), /is over already/);
  assert.throws(() => toEnd('400d', now), /within a year/);
});
