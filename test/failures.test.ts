import assert from 'node:assert/strict';
import test from 'node:test';
import { backoffMs, Failures } from '../src/failures.ts';
import { setNewest } from '../src/newest.ts';

test('the wait doubles with each failure, up to the longest', () => {
  const waits = [1, 2, 3, 4, 5, 100_000].map((failures) => backoffMs(failures, { firstMs: 100, longestMs: 1_000 }));
  assert.deepEqual(waits, [100, 200, 400, 800, 1_000, 1_000]);
  assert.equal(backoffMs(1, { firstMs: 100, longestMs: 50 }), 50);
});

test('a failure is reported once, another one again, and the end of what was reported', () => {
  const failures = new Failures();
  const [away, denied] = [new Error('away'), new Error('denied')];
  assert.deepEqual(
    [away, away, denied, away].map((error) => failures.add(error)),
    [true, false, true, true],
  );
  assert.equal(failures.count, 4);
  assert.deepEqual([failures.end(), failures.end(), failures.count], [true, false, 0]);
  assert.equal(failures.add(away), true);
});

test('a single failure may pass by itself', () => {
  const failures = new Failures(2);
  assert.deepEqual([failures.add(new Error('once')), failures.end()], [false, false]);
  assert.deepEqual([failures.add(new Error('a')), failures.add(new Error('a'))], [false, true]);
  assert.equal(failures.end(), true);
});

test('of a map the newest stay; what is set again is new', () => {
  const map = new Map<string, number>();
  for (const [at, key] of ['a', 'b', 'a', 'c'].entries()) setNewest(map, key, at, 2);
  assert.deepEqual(
    [...map],
    [
      ['a', 2],
      ['c', 3],
    ],
  );
});
