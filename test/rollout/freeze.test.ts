import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFreeze, instantOf, readCron } from '../../src/rollout/freeze.ts';
import type { FreezeWindow } from '../../src/rollout/plan.ts';

const minute = 60_000;
const hour = 60 * minute;

const once = (from: string, to: string, zone: string, reason = 'once'): FreezeWindow => ({
  type: 'once',
  from,
  to,
  zone,
  reason,
});
const cron = (expression: string, forMs: number, zone: string, reason = 'cron'): FreezeWindow => ({
  type: 'cron',
  cron: expression,
  forMs,
  zone,
  reason,
});

const utc = (at: string): number => Date.parse(`${at}Z`);
const shown = (at: number): string => new Date(at).toISOString().slice(0, 16);

/** `until reason`, or `open`. */
function ask(windows: readonly FreezeWindow[], at: number): string {
  const frozen = createFreeze(windows)(at);
  return frozen === null ? 'open' : `${shown(frozen.until)} ${frozen.reason}`;
}

// The zones' changes of the clock in 2026, in UTC. Berlin: 29 March 01:00 forward, 25 October 01:00 back. New York: 8 March 07:00 forward, 1 November
// 06:00 back. Sydney: 4 October 16:00 (3rd, UTC) forward, 5 April 16:00 (4th, UTC) back. Lord Howe: by half an hour.
const locals: readonly [zone: string, local: string, utc: string | null][] = [
  ['Europe/Berlin', '2026-12-24T00:00', '2026-12-23T23:00'],
  ['Europe/Berlin', '2026-07-01T00:00', '2026-06-30T22:00'],
  ['Europe/Berlin', '2026-03-29T01:59', '2026-03-29T00:59'],
  ['Europe/Berlin', '2026-03-29T02:00', '2026-03-29T01:00'],
  ['Europe/Berlin', '2026-03-29T02:30', '2026-03-29T01:00'],
  ['Europe/Berlin', '2026-03-29T03:00', '2026-03-29T01:00'],
  ['Europe/Berlin', '2026-10-25T01:59', '2026-10-24T23:59'],
  ['Europe/Berlin', '2026-10-25T02:30', '2026-10-25T00:30'],
  ['Europe/Berlin', '2026-10-25T03:00', '2026-10-25T02:00'],
  ['America/New_York', '2026-03-08T02:30', '2026-03-08T07:00'],
  ['America/New_York', '2026-11-01T01:30', '2026-11-01T05:30'],
  ['America/New_York', '2026-11-01T02:00', '2026-11-01T07:00'],
  ['Australia/Sydney', '2026-10-04T02:30', '2026-10-03T16:00'],
  ['Australia/Sydney', '2026-04-05T02:30', '2026-04-04T15:30'],
  ['Australia/Sydney', '2026-04-05T03:00', '2026-04-04T17:00'],
  ['Australia/Lord_Howe', '2026-10-04T02:15', '2026-10-03T15:30'],
  // the day begins at 01:00
  ['Africa/Cairo', '2026-04-24T00:00', '2026-04-23T22:00'],
  ['Pacific/Kiritimati', '2026-01-01T00:00', '2025-12-31T10:00'],
  ['Etc/GMT+12', '2026-01-01T00:00', '2026-01-01T12:00'],
  ['UTC', '2028-02-29T00:00', '2028-02-29T00:00'],
  ['UTC', '2026-02-29T00:00', null],
  ['UTC', '2026-13-01T00:00', null],
  ['UTC', '2026-12-24T24:00', null],
  ['UTC', '0000-01-01T00:00', null],
  ['UTC', '2026-12-24', null],
  ['UTC', '2026-12-24T00:00Z', null],
];
for (const [zone, local, expected] of locals)
  test(`${local} in ${zone}`, () => {
    const instant = instantOf(local, zone);
    assert.equal(instant === null ? null : shown(instant), expected);
  });

test('a local time has nothing to do with the zone of the process', () => {
  const before = process.env.TZ;
  try {
    // this process has no 02:30 on that day
    process.env.TZ = 'Europe/Berlin';
    assert.equal(shown(instantOf('2026-03-29T02:30', 'UTC')!), '2026-03-29T02:30');
  } finally {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  }
});

test('seconds count', () => assert.equal(instantOf('2026-01-01T00:00:30', 'UTC'), utc('2026-01-01T00:00:30')));

const weekend = cron('0 16 * * 5', 64 * hour, 'Europe/Berlin', 'weekend');
const holidays = once('2026-12-24T00:00', '2026-12-27T00:00', 'Europe/Berlin', 'holidays');
const nightly = (zone: string): FreezeWindow => cron('30 2 * * *', 2 * hour, zone, 'night');

const asked: readonly [name: string, windows: readonly FreezeWindow[], at: string, answer: string][] = [
  ['no windows', [], '2026-12-24T12:00', 'open'],
  ['once: a moment before', [holidays], '2026-12-23T22:59:59.999', 'open'],
  ['once: as it begins', [holidays], '2026-12-23T23:00', '2026-12-26T23:00 holidays'],
  ['once: its last moment', [holidays], '2026-12-26T22:59:59.999', '2026-12-26T23:00 holidays'],
  ['once: as it ends', [holidays], '2026-12-26T23:00', 'open'],
  [
    'once: over the change forward',
    [once('2026-03-28T12:00', '2026-03-29T12:00', 'Europe/Berlin')],
    '2026-03-29T00:00',
    '2026-03-29T10:00 once',
  ],
  [
    'once: over the change back',
    [once('2026-10-24T12:00', '2026-10-25T12:00', 'Europe/Berlin')],
    '2026-10-25T00:00',
    '2026-10-25T11:00 once',
  ],
  [
    'once: over the change back, south',
    [once('2026-04-04T12:00', '2026-04-05T12:00', 'Australia/Sydney')],
    '2026-04-04T16:30',
    '2026-04-05T02:00 once',
  ],
  ['cron: a moment before', [weekend], '2026-11-27T14:59:59.999', 'open'],
  ['cron: as it begins', [weekend], '2026-11-27T15:00', '2026-11-30T07:00 weekend'],
  ['cron: a millisecond later', [weekend], '2026-11-27T15:00:00.001', '2026-11-30T07:00 weekend'],
  ['cron: as it ends', [weekend], '2026-11-30T07:00', 'open'],
  // 64 hours are 64 hours: until 09:00 there
  ['cron: over the change forward', [weekend], '2026-03-28T12:00', '2026-03-30T07:00 weekend'],
  // and until 07:00 there
  ['cron: over the change back', [weekend], '2026-10-24T12:00', '2026-10-26T06:00 weekend'],
  ['cron: a skipped time, before it', [nightly('Europe/Berlin')], '2026-03-29T00:59', 'open'],
  [
    'cron: a skipped time is when the clock changes',
    [nightly('Europe/Berlin')],
    '2026-03-29T01:00',
    '2026-03-29T03:00 night',
  ],
  ['cron: a time that comes twice, first', [nightly('Europe/Berlin')], '2026-10-25T00:30', '2026-10-25T02:30 night'],
  ['cron: a time that comes twice, second', [nightly('Europe/Berlin')], '2026-10-25T01:45', '2026-10-25T02:30 night'],
  ['cron: a time that comes twice, after', [nightly('Europe/Berlin')], '2026-10-25T02:30', 'open'],
  ['cron: New York, skipped', [nightly('America/New_York')], '2026-03-08T07:00', '2026-03-08T09:00 night'],
  [
    'cron: New York, the day of the change back',
    [nightly('America/New_York')],
    '2026-11-01T07:30',
    '2026-11-01T09:30 night',
  ],
  ['cron: Sydney, skipped', [nightly('Australia/Sydney')], '2026-10-03T16:00', '2026-10-03T18:00 night'],
  ['cron: Sydney, twice', [nightly('Australia/Sydney')], '2026-04-04T16:45', '2026-04-04T17:30 night'],
  [
    'cron: a list of hours, skipped',
    [cron('30 2,14 * * *', hour, 'Europe/Berlin')],
    '2026-03-29T01:00',
    '2026-03-29T02:00 cron',
  ],
  ['cron: with a step, skipped', [cron('*/30 2 * * *', 10 * minute, 'Europe/Berlin')], '2026-03-29T01:05', 'open'],
  [
    'cron: with a step, twice: the first',
    [cron('*/30 2 * * *', 10 * minute, 'Europe/Berlin')],
    '2026-10-25T00:30',
    '2026-10-25T00:40 cron',
  ],
  [
    'cron: with a step, twice: the second',
    [cron('*/30 2 * * *', 10 * minute, 'Europe/Berlin')],
    '2026-10-25T01:30',
    '2026-10-25T01:40 cron',
  ],
  ['cron: 29 February only', [cron('0 0 29 2 *', hour, 'UTC')], '2028-02-29T00:30', '2028-02-29T01:00 cron'],
  [
    'two that overlap',
    [
      once('2026-01-01T00:00', '2026-01-02T00:00', 'UTC', 'a'),
      once('2026-01-01T12:00', '2026-01-03T00:00', 'UTC', 'b'),
    ],
    '2026-01-01T01:00',
    '2026-01-03T00:00 a',
  ],
  [
    'two without a gap',
    [
      once('2026-01-02T00:00', '2026-01-03T00:00', 'UTC', 'b'),
      once('2026-01-01T00:00', '2026-01-02T00:00', 'UTC', 'a'),
    ],
    '2026-01-01T01:00',
    '2026-01-03T00:00 a',
  ],
  [
    'two with a gap',
    [
      once('2026-01-01T00:00', '2026-01-02T00:00', 'UTC', 'a'),
      once('2026-01-02T00:01', '2026-01-03T00:00', 'UTC', 'b'),
    ],
    '2026-01-01T01:00',
    '2026-01-02T00:00 a',
  ],
  [
    'one inside another',
    [
      once('2026-01-01T00:00', '2026-01-05T00:00', 'UTC', 'a'),
      once('2026-01-02T00:00', '2026-01-03T00:00', 'UTC', 'b'),
    ],
    '2026-01-02T01:00',
    '2026-01-05T00:00 a',
  ],
  ['holidays and the weekend in them', [holidays, weekend], '2026-12-24T10:00', '2026-12-28T07:00 holidays'],
  ['the reason is that of a window that is open', [holidays, weekend], '2026-12-27T10:00', '2026-12-28T07:00 weekend'],
];
for (const [name, windows, at, answer] of asked)
  test(`freeze: ${name}`, () => assert.equal(ask(windows, utc(at)), answer));

test('one that is asked in any order answers as a new one does', () => {
  const windows = [holidays, weekend, nightly('America/New_York'), cron('*/30 2 * * *', 10 * minute, 'Europe/Berlin')];
  const freeze = createFreeze(windows);
  const start = utc('2026-10-20T00:00');
  for (let i = 0; i < 400; i++) {
    // 12 days in steps that are no multiple of each other, back and forth
    const at = start + ((i * 7919) % 17_280) * minute;
    assert.deepEqual(freeze(at), createFreeze(windows)(at), shown(at));
  }
});

test('a cron that never ends is bounded, and asked again it goes on', () => {
  const start = utc('2026-01-01T00:00');
  for (const [count, forMs, least] of [
    [1, 64 * hour, 365 * 24 * hour],
    [1, minute, 8 * hour],
    [50, minute, 5 * minute],
  ] as const) {
    const freeze = createFreeze(Array.from({ length: count }, () => cron('* * * * *', forMs, 'UTC')));
    const first = freeze(start)!;
    assert.ok(first.until > start + least, shown(first.until));
    assert.ok(freeze(first.until)!.until > first.until);
  }
});

test('what is no cron expression of five fields is an error', () => {
  for (const text of ['', 'x', '60 * * * *', '* * * *', '* * * * * *', '0 0 1 foo *'])
    assert.throws(() => readCron(text, 'UTC'), text);
});
