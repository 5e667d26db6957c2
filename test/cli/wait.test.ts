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

test('each outcome but live is a fault that says what it means', () => {
  const fault = (outcome: Outcome): string | null => faultOf(status(outcome), { verb: 'sync', isWaiting: false });
  assert.equal(fault('live'), null);
  assert.match(fault('invalid')!, /is invalid: it is not pushed/);
  assert.match(fault('rolled_back')!, /was refused by an Envoy: it is rolled back/);
  assert.match(fault('held')!, /is held: it waits for you/);
  assert.match(fault('superseded')!, /is not what the fleet runs/);
  assert.equal(
    faultOf({ ...status('live'), head: null }, { verb: 'sync', isWaiting: false }),
    'there is no revision yet',
  );
});
