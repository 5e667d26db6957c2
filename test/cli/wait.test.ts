import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultOf, waitForOutcome } from '../../src/cli/wait.ts';
import type { Status } from '../../src/http/api.ts';
import type { Outcome } from '../../src/rollout/types.ts';

const version = 'abcdef0123456789';

function status(outcome: Outcome | null, counts: Partial<Status['counts']> = {}): Status {
  return {
    daemon: {
      version: '1',
      pid: 1,
      since: '',
      repository: '/r',
      ref: 'main',
      file: 'f',
      stateDirectory: '/s',
      xdsPort: 1,
      httpPort: 1,
    },
    live: null,
    head: { version, subject: 's', outcome, diagnostics: [] },
    nodes: [],
    counts: { connected: 0, acked: 0, pending: 0, refusing: 0, unanswered: 0, ...counts },
    backlog: 0,
    problems: [],
    muted: [],
    gone: [],
    working: null,
    rollout: null,
    freeze: null,
  };
}

test('it looks until the commit is decided', async () => {
  const looks = [status(null), status(null), status('live')];
  const seen = await waitForOutcome(() => Promise.resolve(looks.shift()!), { verb: 'sync', waitMs: 60_000 });
  assert.equal(seen.head!.outcome, 'live');
  assert.equal(looks.length, 0);
});

test('after a retry it looks until every Envoy has answered', async () => {
  const looks = [status('live', { pending: 1 }), status('live', { refusing: 1 })];
  const seen = await waitForOutcome(() => Promise.resolve(looks.shift()!), { verb: 'retry', waitMs: 60_000 });
  assert.equal(faultOf(seen, { verb: 'retry', isWaiting: true }), '1 node still refuses abcdef012345');
});

test('what is not decided in time is a fault for who waits, and none for who only asks', async () => {
  const seen = await waitForOutcome(() => Promise.resolve(status(null, { pending: 2 })), { verb: 'sync', waitMs: 0 });
  assert.equal(faultOf(seen, { verb: 'sync', isWaiting: false }), null);
  assert.equal(faultOf(seen, { verb: 'sync', isWaiting: true }), 'abcdef012345 is not decided yet: 2 nodes to answer');
});

const slow: NonNullable<Status['rollout']> = {
  ...{ version, subject: 's', strategy: 'slow', reason: null, phase: 'baking', wave: 2, waves: ['1 node', 'everyone'] },
  ...{
    nodes: { reached: 1, connected: 2 },
    customers: null,
    startedAt: '',
    waveAt: '',
    bakeUntil: null,
    bakeLeftMs: 1,
  },
  ...{ paused: null, waitsFor: 'the end of its bake, in 1 h', hint: 'h', checks: [], checksOff: null },
};

/** What is left of the statuses when it stops looking, and its fault. */
async function lookAt(verb: string, ...looks: Status[]): Promise<[number, string | null]> {
  const seen = await waitForOutcome(() => Promise.resolve(looks.shift()!), { verb, waitMs: 60_000 });
  return [looks.length, faultOf(seen, { verb, isWaiting: true })];
}

test('it waits no longer once a rollout needs a person, and says so', async () => {
  const paused = { by: 'ann', why: '', reason: 'operator', since: '' } as const;
  const waitsFor = 'an operator, to resume or abort it';
  for (const verb of ['sync', 'accept', 'retry'])
    for (const rollout of [
      { ...slow, paused, waitsFor },
      { ...slow, phase: 'waiting', waitsFor: 'an operator, to promote it' } as const,
    ])
      assert.deepEqual(await lookAt(verb, { ...status(null), rollout }, status('live')), [
        1,
        `abcdef012345 is not decided yet: wave 2 of 2, it waits for ${rollout.waitsFor}`,
      ]);
});

test('a retry is answered by the first wave; the others wait for the end', async () => {
  const looks = [
    { ...status(null), rollout: { ...slow, phase: 'pushing' } as const },
    { ...status(null), rollout: slow },
  ];
  assert.deepEqual(await lookAt('retry', ...looks, status('live')), [1, null]);
  assert.deepEqual(await lookAt('sync', ...looks, status('live')), [0, null]);
  const late = { ...status(null), rollout: slow };
  assert.equal(
    faultOf(late, { verb: 'sync', isWaiting: true }),
    'abcdef012345 is not decided yet: wave 2 of 2, it waits for the end of its bake, in 1 h',
  );
});

test('each outcome but live is a fault that says what it means', () => {
  const fault = (outcome: Outcome): string | null => faultOf(status(outcome), { verb: 'sync', isWaiting: false });
  assert.equal(fault('live'), null);
  assert.match(fault('invalid')!, /is invalid: it is not pushed/);
  assert.match(fault('rolled_back')!, /was refused by an Envoy: it is rolled back/);
  for (const [code, words] of [
    ['check-failed', 'was found bad by a check'],
    ['aborted', 'was aborted'],
  ] as const) {
    const diagnostic = { code, message: '', file: '', line: 1, column: 1, hint: null, excerpt: null };
    const head = { ...status('rolled_back').head!, diagnostics: [diagnostic] };
    const told = faultOf({ ...status('rolled_back'), head }, { verb: 'sync', isWaiting: false });
    assert.equal(told, `abcdef012345 ${words}: it is rolled back`);
  }
  assert.match(fault('held')!, /is held: it waits for you/);
  assert.match(fault('superseded')!, /is not what the fleet runs/);
  assert.equal(
    faultOf({ ...status('live'), head: null }, { verb: 'sync', isWaiting: false }),
    'there is no revision yet',
  );
});
