import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRollout } from '../../src/rollout/state.ts';
import type { RolloutNode } from '../../src/rollout/state.ts';
import { labelsOf } from '../helpers/ids.ts';
import { strike } from '../../src/rollout/votes.ts';

const nodeOf = (id: string, client: string | null = null): RolloutNode => ({
  ...{
    id,
    labels: labelsOf(id),
    isReached: false,
    client,
    sent: null,
    answer: null,
    version: null,
    refusal: null,
    heldSince: null,
  },
});

test('who rolled back is remembered within a bound: the oldest is forgotten first', () => {
  const state = createRollout({ ackTimeoutMs: 30_000, quorum: 0.5, voteAfterMs: 5_000 });
  for (let at = 0; at < 1_000; at += 1) strike(state, nodeOf(`n${at}`));
  strike(state, nodeOf('n0'));
  strike(state, nodeOf('another'));
  assert.equal(state.strikes.size, 1_000);
  assert.equal(state.strikes.has('n1'), false);
  assert.deepEqual(state.strikes.get('n0'), { count: 2, owed: 2, last: null });
});

test('what a node owes doubles each time, up to 1,024', () => {
  const state = createRollout({ ackTimeoutMs: 30_000, quorum: 0.5, voteAfterMs: 5_000 });
  const owed = Array.from({ length: 13 }, () => {
    strike(state, nodeOf('a'));
    return state.strikes.get('a')?.owed;
  });
  assert.deepEqual(owed, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 1_024, 1_024]);
});

test('a client owes for all of its node ids, from the third rollback on, within a bound', () => {
  const state = createRollout({ ackTimeoutMs: 30_000, quorum: 0.5, voteAfterMs: 5_000 });
  const owed = Array.from({ length: 6 }, (_, at) => {
    strike(state, nodeOf(`n${at}`, 'client'));
    return state.clientStrikes.get('client')?.owed;
  });
  assert.deepEqual(owed, [0, 0, 1, 2, 4, 8]);
  for (let at = 0; at < 2_000; at += 1) strike(state, nodeOf('n', `client ${at}`));
  assert.equal(state.clientStrikes.size, 1_000);
});
