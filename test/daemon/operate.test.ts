import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerTo, refusalOf, toCommand } from '../../src/daemon/operate.ts';
import { toFreezeStatus, toRolloutStatus } from '../../src/daemon/rollout-status.ts';
import { toRolloutGauges } from '../../src/daemon/rollout-gauges.ts';
import type { Order } from '../../src/http/api.ts';
import { allAtOnce, everyone, type Plan } from '../../src/rollout/plan.ts';
import { createRollout, type RolloutState } from '../../src/rollout/state.ts';
import { targetOf } from '../../src/rollout/targets.ts';
import { step } from '../../src/rollout/step.ts';
import type { RolloutEvent } from '../../src/rollout/types.ts';
import { labelsOf, sessionOf, versionOf } from '../helpers/ids.ts';

const plan: Plan = {
  strategy: 'slow',
  reason: 'the default',
  waves: [
    { ...everyone, nodes: { type: 'count', count: 1 }, bakeMs: 60_000 },
    { ...everyone, nodes: { type: 'share', share: 0.5 }, bakeMs: 60_000, isManual: true },
    { ...everyone, bakeMs: 90_000 },
  ],
};

type Input = RolloutEvent extends infer E ? (E extends { at: number } ? Omit<E, 'at'> : never) : never;

/** A fleet of four with v1, and a way to operate it at a time of its own. */
function createFleet({ window }: { window?: readonly [number, number] } = {}) {
  let at = 0;
  const frozenAt = (now: number) =>
    window !== undefined && now >= window[0] && now < window[1] ? { until: window[1], reason: 'weekend' } : null;
  const state: RolloutState = createRollout({ ackTimeoutMs: 30_000, quorum: 0.5, voteAfterMs: 0, frozenAt });
  const put = (event: Input) => step(state, { ...event, at });
  const ack = () => {
    for (const [session, { labels }] of state.nodes) put({ type: 'acked', session, version: targetOf(state, labels)! });
  };
  for (const id of ['a', 'b', 'c', 'd']) put({ type: 'joined', session: sessionOf(id), node: labelsOf(id) });
  put({ type: 'release', version: versionOf('v1') });
  ack();
  return {
    state,
    put,
    ack,
    wait: (until: number) => {
      at = until;
      put({ type: 'tick' });
    },
    /** What an operator reads. */
    operate: (order: Order): string => {
      const operated = { state, at, isHeldByFreeze: false };
      const refusal = refusalOf(order, operated);
      if (refusal !== null) return `no: ${refusal.message}${refusal.hint === undefined ? '' : ` (${refusal.hint})`}`;
      const before = state.candidate;
      const { facts } = step(state, toCommand(order, at));
      assert.ok(facts.length > 0, `${order.verb} changes something, since it was not refused`);
      return answerTo(order, before, operated).message;
    },
    status: () => toRolloutStatus(state, { now: at, subject: 'Subject', checksOff: null }),
    freeze: () => toFreezeStatus(state, at),
  };
}

const ann = { by: 'ann', why: '' };
const why = { by: 'ann', why: 'p99 is up' };
const promote: Order = { ...ann, verb: 'promote', all: false };

test('with nothing to do it, each command says so, and changes nothing', () => {
  const fleet = createFleet();
  for (const verb of ['pause', 'resume'] as const)
    assert.equal(fleet.operate({ ...ann, verb }), 'no: nothing is being rolled out');
  assert.equal(fleet.operate(promote), 'no: nothing is being rolled out');
  assert.equal(
    fleet.operate({ ...ann, verb: 'abort' }),
    'no: nothing is being rolled out (v1 is live; to take it back: git revert)',
  );
  assert.equal(fleet.operate({ ...ann, verb: 'unfreeze' }), 'no: nothing is frozen');
  assert.deepEqual([fleet.status(), fleet.freeze()], [null, null]);
});

test('pause and resume, once each; paused it is not promoted', () => {
  const fleet = createFleet();
  fleet.put({ type: 'release', version: versionOf('v2'), plan });
  fleet.ack();
  assert.equal(
    fleet.operate({ ...ann, verb: 'resume' }),
    'no: v2 is not paused (shardplane status says what it waits for)',
  );
  fleet.wait(20_000);
  assert.match(fleet.operate({ ...why, verb: 'pause' }), /^v2 is paused in wave 1 of 3: nodes keep what they have\n/);
  assert.equal(
    fleet.operate({ ...why, verb: 'pause' }),
    'no: v2 is paused already, by ann: p99 is up (shardplane resume lets it go on)',
  );
  assert.equal(fleet.operate(promote), 'no: v2 is paused (shardplane resume first, or shardplane abort)');
  const { paused, bakeUntil, bakeLeftMs, waitsFor, hint } = fleet.status()!;
  assert.deepEqual(paused, { by: 'ann', why: 'p99 is up', reason: 'operator', since: '1970-01-01T00:00:20.000Z' });
  assert.deepEqual([bakeUntil, bakeLeftMs], [null, 40_000]);
  assert.equal(waitsFor, 'an operator, to resume or abort it');
  assert.match(hint, /^shardplane resume .*, shardplane abort /);
  assert.equal(fleet.operate({ ...ann, verb: 'resume' }), 'v2 goes on in wave 1 of 3');
  assert.equal(fleet.status()!.bakeLeftMs, 40_000);
});

test('promote: not while nodes are still answering, unless to all', () => {
  const fleet = createFleet();
  fleet.put({ type: 'release', version: versionOf('v2'), plan });
  assert.equal(fleet.status()!.waitsFor, '1 node to answer, 30 s at most');
  assert.equal(
    fleet.operate(promote),
    'no: v2: wave 1 of 3 waits for 1 node to answer (shardplane promote once they have, or shardplane promote --all)',
  );
  fleet.ack();
  fleet.wait(60_000);
  assert.equal(fleet.status()!.waitsFor, 'an operator, to promote it');
  assert.equal(fleet.status()!.hint, 'shardplane promote begins it now, pause stops here, abort takes it back');
  assert.equal(fleet.operate(promote), 'v2 goes on: wave 2 of 3 of slow');
  assert.equal(fleet.operate({ ...ann, verb: 'promote', all: true }), 'v2 goes on: wave 3 of 3 of slow');
  for (const all of [true, false])
    assert.match(
      fleet.operate({ ...ann, verb: 'promote', all }),
      /^no: v2 is offered to everyone already: it waits for 3 nodes to answer/,
    );
  fleet.ack();
  assert.equal(fleet.state.live?.version, 'v2');
});

test('a promotion out of the last bake makes it live', () => {
  const fleet = createFleet();
  fleet.put({ type: 'release', version: versionOf('v2'), plan: { ...plan, waves: plan.waves.slice(2) } });
  fleet.ack();
  assert.equal(fleet.operate(promote), 'v2 is live');
});

test('abort, of what is all at once, too', () => {
  const fleet = createFleet();
  fleet.put({ type: 'release', version: versionOf('v2'), plan: allAtOnce });
  assert.match(fleet.operate(promote), /^no: v2 is offered to everyone already: it waits for 4 nodes/);
  assert.match(fleet.operate({ ...why, verb: 'abort' }), /^v2 is taken back: every node gets v1, which is live\n/);
  assert.deepEqual(fleet.state.pins.get(versionOf('v2')), { type: 'aborted', by: 'ann', why: 'p99 is up' });
});

test('freeze: a wave stays, none begins; the same end twice changes nothing, another one does', () => {
  const fleet = createFleet();
  fleet.put({ type: 'release', version: versionOf('v2'), plan });
  fleet.ack();
  const freeze: Order = { ...why, verb: 'freeze', until: 3_600_000 };
  assert.equal(
    fleet.operate(freeze),
    'frozen until 1970-01-01T01:00:00Z: no wave begins, new commits are held\nv2 stays in wave 1 of 3; shardplane abort takes it back',
  );
  assert.equal(
    fleet.operate(freeze),
    'no: frozen until 1970-01-01T01:00:00Z already, by ann: p99 is up (shardplane unfreeze ends it)',
  );
  assert.deepEqual(fleet.freeze(), {
    ...{ until: '1970-01-01T01:00:00.000Z', reason: 'p99 is up', by: 'ann', since: '1970-01-01T00:00:00.000Z' },
  });
  assert.match(fleet.operate({ ...freeze, until: null }), /^frozen until shardplane unfreeze: /);
  assert.equal(fleet.operate(promote), 'no: v2: no wave begins, frozen (by ann: p99 is up) (shardplane unfreeze)');
  fleet.wait(61_000);
  assert.equal(
    fleet.status()!.hint,
    'shardplane pause stops it here, shardplane abort takes it back',
    'nothing else would do',
  );
  assert.equal(fleet.operate({ ...ann, verb: 'unfreeze' }), 'rollouts are not frozen any more: v2 goes on');
  assert.equal(fleet.freeze(), null);
});

test('unfreeze ends a window of the settings that is in force', () => {
  const fleet = createFleet({ window: [10_000, 90_000] });
  fleet.wait(10_000);
  assert.deepEqual(fleet.freeze(), { until: '1970-01-01T00:01:30.000Z', reason: 'weekend', by: null, since: null });
  assert.equal(fleet.operate({ ...ann, verb: 'unfreeze' }), 'rollouts are not frozen any more');
  assert.equal(fleet.operate({ ...ann, verb: 'unfreeze' }), 'no: nothing is frozen');
});

test('what an operator has accepted passes the freeze that is in force, and not the next one', () => {
  const fleet = createFleet({ window: [10_000, 500_000] });
  fleet.wait(10_000);
  fleet.put({ type: 'release', version: versionOf('v2'), plan });
  assert.equal(fleet.status()!.wave, 0);
  fleet.put({ type: 'release', version: versionOf('v3'), plan, isAccepted: true });
  fleet.ack();
  assert.equal(fleet.status()!.wave, 1);
  fleet.wait(80_000);
  assert.equal(fleet.operate(promote), 'v3 goes on: wave 2 of 3 of slow');
  fleet.ack();
  assert.match(fleet.operate({ ...ann, verb: 'freeze', until: null }), /\nv3 stays in wave 2 of 3;/);
  assert.match(fleet.operate(promote), /^no: v3: no wave begins, frozen \(by ann\)/);
});

test('the status of a rollout: where it is, and its checks', () => {
  const fleet = createFleet();
  fleet.put({ type: 'release', version: versionOf('v2'), plan });
  fleet.ack();
  fleet.wait(10_000);
  fleet.put({ type: 'check', name: 'errors', verdict: 'no_data', message: 'no requests' });
  assert.deepEqual(fleet.status(), {
    ...{ version: 'v2', subject: 'Subject', strategy: 'slow', reason: 'the default', phase: 'baking', wave: 1 },
    waves: ['1 node, 1 min', '50 % of the nodes, 1 min, once promoted', 'everyone, 1 min 30 s'],
    nodes: { reached: 1, connected: 4 },
    customers: null,
    startedAt: '1970-01-01T00:00:00.000Z',
    waveAt: '1970-01-01T00:00:00.000Z',
    bakeUntil: '1970-01-01T00:01:00.000Z',
    bakeLeftMs: 50_000,
    paused: null,
    waitsFor: 'the end of its bake, in 50 s',
    hint: 'shardplane promote goes on now, pause stops here, abort takes it back',
    checks: [
      { name: 'errors', verdicts: ['no_data'], message: 'no requests', noDataSince: '1970-01-01T00:00:10.000Z' },
    ],
    checksOff: null,
  });
  fleet.wait(70_000);
  assert.equal(fleet.status()!.waitsFor, 'check errors to pass');
  assert.match(fleet.status()!.hint, /^shardplane promote goes on despite it, /);
  const load = {
    sum: (includes: (id: string) => boolean) => ({ requests: includes('d') ? 7 : 0, errors: includes('a') ? 1 : 0 }),
  };
  const gauges = toRolloutGauges(fleet.state, load, 70_000);
  assert.deepEqual(gauges, {
    ...{ phase: 'baking', wave: 1, waves: 3, overdueMs: 10_000, isFrozen: false },
    checks: [{ name: 'errors', verdict: 'no_data' }],
    load: { wave: { requests: 7, errors: 0 }, rest: { requests: 0, errors: 1 } },
  });
});

test('a first wave that waits for a node which has just connected says so', () => {
  const fleet = createFleet();
  fleet.put({ type: 'joined', session: sessionOf('e'), node: labelsOf('e') });
  fleet.put({ type: 'release', version: versionOf('v2'), plan });
  assert.equal(fleet.status()!.waitsFor, 'the first answer of a node that has just connected, 30 s at most');
});
