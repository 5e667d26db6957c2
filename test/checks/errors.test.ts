import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { judgeErrors, leastErrors } from '../../src/checks/errors.ts';
import type { Sums } from '../../src/load/sums.ts';

const settings = { ratio: 1.5, points: 0.5, requests: 100 };
const sums = (errors: number, requests: number): Sums => ({ requests, errors });

test('a wave fails that is worse by the ratio and by the points, with enough requests', () => {
  const cases: [wave: Sums, rest: Sums, expected: string][] = [
    [sums(30, 240), sums(5, 4800), 'fail: errors 12.5 % of 240 requests in the wave, 0.104 % of 4,800 elsewhere'],
    [sums(0, 240), sums(0, 4800), 'pass: errors 0 % of 240 requests in the wave, 0 % of 4,800 elsewhere'],
    [sums(240, 240), sums(4800, 4800), 'pass: errors 100 % of 240 requests in the wave, 100 % of 4,800 elsewhere'],
    // by the ratio, not by the points
    [sums(5, 1000), sums(0, 1000), 'pass: errors 0.5 % of 1,000 requests in the wave, 0 % of 1,000 elsewhere'],
    [sums(6, 1000), sums(0, 1000), 'fail: errors 0.6 % of 1,000 requests in the wave, 0 % of 1,000 elsewhere'],
    // by the points, not by the ratio
    [sums(150, 1000), sums(100, 1000), 'pass: errors 15 % of 1,000 requests in the wave, 10 % of 1,000 elsewhere'],
    [sums(151, 1000), sums(100, 1000), 'fail: errors 15.1 % of 1,000 requests in the wave, 10 % of 1,000 elsewhere'],
    // strays
    [sums(2, 100), sums(0, 4800), 'pass: errors 2 % of 100 requests in the wave, 0 % of 4,800 elsewhere'],
    [sums(3, 100), sums(0, 4800), 'fail: errors 3 % of 100 requests in the wave, 0 % of 4,800 elsewhere'],
    // too few
    [sums(99, 99), sums(0, 4800), 'no_data: 99 requests in the wave, 4,800 elsewhere: a verdict needs 100 of each'],
    [sums(100, 100), sums(0, 99), 'no_data: 100 requests in the wave, 99 elsewhere: a verdict needs 100 of each'],
    [sums(1, 1), sums(0, 0), 'no_data: 1 request in the wave, 0 elsewhere: a verdict needs 100 of each'],
  ];
  for (const [wave, rest, expected] of cases) {
    const { verdict, message } = judgeErrors({ wave, rest, settings });
    assert.equal(`${verdict}: ${message}`, expected);
  }
});

test('no requests are never a pass, whatever the settings', () => {
  const none = { wave: sums(0, 0), rest: sums(0, 0), settings: { ratio: 1, points: 0, requests: 0 } };
  assert.equal(judgeErrors(none).verdict, 'no_data');
});

test('it says where the rest is from', () => {
  const { message } = judgeErrors({ wave: sums(1, 100), rest: sums(1, 200), settings, where: 'before the rollout' });
  assert.equal(message, 'errors 1 % of 100 requests in the wave, 0.5 % of 200 before the rollout');
});

const anySums = fc
  .record({ requests: fc.integer({ min: 0, max: 100_000 }), share: fc.double({ min: 0, max: 1, noNaN: true }) })
  .map(({ requests, share }) => sums(Math.round(requests * share), requests));
const anyInput = fc.record({
  wave: anySums,
  rest: anySums,
  settings: fc.record({
    ratio: fc.double({ min: 1, max: 10, noNaN: true }),
    points: fc.double({ min: 0, max: 50, noNaN: true }),
    requests: fc.integer({ min: 1, max: 1000 }),
  }),
});

test('more of the same is never less: scaled up, a verdict stays, but for one that lacked data', () => {
  const scale = ({ requests, errors }: Sums, by: number) => sums(errors * by, requests * by);
  fc.assert(
    fc.property(anyInput, fc.integer({ min: 1, max: 1000 }), ({ wave, rest, settings: own }, by) => {
      const before = judgeErrors({ wave, rest, settings: own }).verdict;
      const after = judgeErrors({ wave: scale(wave, by), rest: scale(rest, by), settings: own }).verdict;
      if (before === 'fail') assert.equal(after, 'fail');
      if (before === 'pass' && wave.errors >= leastErrors) assert.equal(after, 'pass');
      if (before !== 'no_data') assert.notEqual(after, 'no_data');
    }),
  );
});

test('more errors in the wave, or fewer in the rest, never turn a fail into a pass', () => {
  fc.assert(
    fc.property(anyInput, fc.double({ min: 0, max: 1, noNaN: true }), ({ wave, rest, settings: own }, share) => {
      if (judgeErrors({ wave, rest, settings: own }).verdict !== 'fail') return;
      const worse = sums(wave.errors + Math.round((wave.requests - wave.errors) * share), wave.requests);
      const better = sums(Math.round(rest.errors * share), rest.requests);
      assert.equal(judgeErrors({ wave: worse, rest: better, settings: own }).verdict, 'fail');
    }),
  );
});

test('a wave that is no worse than the rest never fails', () => {
  fc.assert(
    fc.property(anyInput, ({ wave, rest, settings: own }) => {
      if (wave.errors * rest.requests > rest.errors * wave.requests) return;
      assert.notEqual(judgeErrors({ wave, rest, settings: own }).verdict, 'fail');
    }),
  );
});
