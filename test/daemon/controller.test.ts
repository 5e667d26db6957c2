import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Controller } from '../../src/daemon/controller.ts';
import { createState } from '../../src/state/state.ts';
import { candidateOf } from '../helpers/ids.ts';

test('a candidate of before a restart is decided in time, though nobody comes and git says nothing', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  const facts: string[] = [];
  const memory = {
    revisions: { taken: null, head: null, accepted: [], contents: [] },
    rollout: { live: null, candidate: candidateOf('v1'), pins: [], muted: [], pushes: 1, members: [1], settled: null },
  };
  const controller = new Controller({
    state: createState({
      revisions: { ref: 'main', file: 'f', isVerified: false },
      rollout: { ackTimeoutMs: 30_000, quorum: 0.5, voteAfterMs: 0 },
      ...{ memory, open: [], now },
    }),
    now: () => now,
    carryOut: () => undefined,
    record: (told) => facts.push(...told.map(({ type }) => type)),
    onStepped: () => undefined,
  });
  controller.resume();
  now = 30_000;
  t.mock.timers.tick(30_000);
  assert.deepEqual(facts, ['live', 'settled']);
  controller.close();
});
