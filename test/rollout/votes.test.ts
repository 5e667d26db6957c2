import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRollout } from '../../src/rollout/state.ts';
import { strike } from '../../src/rollout/votes.ts';

test('who rolled back is remembered within a bound: the oldest is forgotten first', () => {
  const state = createRollout({ ackTimeoutMs: 30_000, quorum: 0.5, voteAfterMs: 5_000 });
  for (let at = 0; at < 1_000; at += 1) strike(state, `n${at}`);
  strike(state, 'n0');
  strike(state, 'another');
  assert.equal(state.strikes.size, 1_000);
  assert.equal(state.strikes.has('n1'), false);
  assert.deepEqual(state.strikes.get('n0'), { count: 2, owed: 2, last: null });
});

test('what a node owes doubles each time, up to 1,024', () => {
  const state = createRollout({ ackTimeoutMs: 30_000, quorum: 0.5, voteAfterMs: 5_000 });
  const owed = Array.from({ length: 13 }, () => {
    strike(state, 'a');
    return state.strikes.get('a')?.owed;
  });
  assert.deepEqual(owed, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 1_024, 1_024]);
});
