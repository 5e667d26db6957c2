import { allAtOnce } from '../../src/rollout/plan.ts';
import { maxStagesLost } from '../../src/rollout/state.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RevisionEvent } from '../../src/revisions/types.ts';
import type { Refusal } from '../../src/rollout/types.ts';
import { adopt } from '../../src/state/adopt.ts';
import { isCalm, usable } from '../../src/state/memory.ts';
import type { Memory } from '../../src/state/memory.ts';
import { createState, toMemory } from '../../src/state/state.ts';
import type { State } from '../../src/state/state.ts';
import { step } from '../../src/state/step.ts';
import type { Head } from '../../src/revisions/state.ts';
import { candidateOf, labelsOf, sessionOf, versionOf } from '../helpers/ids.ts';

const options = {
  revisions: { ref: 'main', file: 'f', isVerified: false },
  rollout: { ackTimeoutMs: 30_000, quorum: 0.5, voteAfterMs: 5_000 },
};
const begin = (memory: Memory | null = null): State => createState({ ...options, memory, open: [], now: 0 });
const refusal: Refusal = { node: 'n', code: 13, message: 'no' };

const none: Memory = {
  revisions: { taken: null, head: null, accepted: [], contents: [] },
  rollout: {
    live: null,
    candidate: null,
    stages: 0,
    freeze: null,
    thawedUntil: null,
    pins: [],
    muted: [],
    pushes: 0,
    members: [],
    settled: null,
  },
};
const calm: Memory = {
  revisions: {
    ...none.revisions,
    taken: 'v1',
    head: { version: versionOf('v1'), subject: '', outcome: 'live', diagnostics: [] },
  },
  rollout: {
    ...none.rollout,
    live: { version: versionOf('v1'), since: 0, proven: true },
    settled: { version: versionOf('v1'), isClean: true },
    members: [3],
    pushes: 7,
  },
};

/** A commit on top of all, judged valid; its content is named after the last of its version. */
function commit(state: State, name: string, content: string): void {
  const version = versionOf(name);
  const newest = { version, subject: '', author: '', committedAt: '' };
  const previous = state.revisions.taken;
  const moved: RevisionEvent = {
    ...{ type: 'moved', movement: 'fast-forward', decision: 'take', previous, tip: version },
    ...{ revisions: [newest], newest, outcomes: new Map() },
  };
  step(state, moved, 0);
  step(state, { type: 'judged', version, verdict: { valid: true, shrink: null, digest: content, plan: allAtOnce } }, 0);
}

function answer(state: State, type: 'acked' | 'nacked', name: string): void {
  const who = { at: 0, session: sessionOf('s'), version: versionOf(name) };
  step(state, { type: 'sent', ...who }, 0);
  step(state, type === 'acked' ? { type, ...who } : { type, ...who, ...refusal }, 0);
}

test('a node is taken at its word after a calm end, not in the middle of a rollout', () => {
  assert.equal(isCalm(calm), true);
  const head: Head = { version: versionOf('v3'), subject: '', outcome: 'invalid', diagnostics: [] };
  const underWay = {
    revisions: { ...calm.revisions, head },
    rollout: { ...calm.rollout, candidate: candidateOf('v2') },
  };
  assert.equal(isCalm(underWay), false);
});

test('a candidate is gone on with if its bytes are there, and the settings are those that it was judged by', () => {
  const underWay: Memory = {
    revisions: { ...calm.revisions, judgedBy: 'these' },
    rollout: { ...calm.rollout, candidate: candidateOf('v2') },
  };
  const all = new Set(['v1', 'v2']);
  assert.deepEqual(usable(underWay, all, 'these'), underWay);
  assert.deepEqual(usable(underWay, all, 'others').rollout, calm.rollout);
  assert.deepEqual(usable(underWay, new Set(['v1']), 'these').rollout, calm.rollout);
});

test('a content that was live may come back, also where a pinned release was asked for meanwhile', () => {
  const state = begin();
  step(state, { type: 'joined', at: 0, session: sessionOf('s'), node: labelsOf('n') }, 0);
  commit(state, 'v1', 'one');
  answer(state, 'acked', 'v1');
  commit(state, 'v2', 'two');
  answer(state, 'nacked', 'v2');
  commit(state, 'v3', 'three');
  commit(state, 'v2', 'two');
  answer(state, 'acked', 'v3');
  assert.deepEqual(toMemory(state).revisions.contents, ['one', 'three']);
});

test('a restart in a rollout goes on in the same push, and settles it', () => {
  const state = begin({ ...calm, rollout: { ...calm.rollout, candidate: candidateOf('v2'), members: [1] } });
  step(state, { type: 'joined', at: 5, session: sessionOf('s'), node: labelsOf('n') }, 5);
  step(state, { type: 'sent', at: 5, session: sessionOf('s'), version: versionOf('v2') }, 5);
  const { facts } = step(state, { type: 'acked', at: 8, session: sessionOf('s'), version: versionOf('v2') }, 8);
  const counts = { connected: 1, acked: 1, pending: 0, refusing: 0, unanswered: 0 };
  assert.deepEqual(facts.at(-1), { type: 'settled', version: versionOf('v2'), push: 7, ms: 8, counts, wave: null });
  assert.deepEqual(toMemory(state).rollout.settled, { version: versionOf('v2'), isClean: true });
});

test('a memory that comes late is gone on from, where nothing has happened since', () => {
  const state = begin();
  step(state, { type: 'joined', at: 0, session: sessionOf('s'), node: labelsOf('n') }, 0);
  assert.equal(adopt(state, calm, [], 10), true);
  const rollout = { ...calm.rollout, stages: maxStagesLost };
  assert.deepEqual(toMemory(state), { revisions: { ...calm.revisions, released: null }, rollout });
  assert.deepEqual([...state.rollout.waiting], [['s', 30_010]]);
});

test('what came of what is served now stands, whatever a late memory says', () => {
  const state = begin();
  commit(state, 'v2', 'two');
  const late = {
    revisions: { ...calm.revisions, accepted: [versionOf('a')], contents: ['one'] },
    rollout: {
      ...calm.rollout,
      muted: ['m'],
      pins: ['v2', 'v0'].map((name) => ({ version: versionOf(name), cause: { type: 'refused' as const, ...refusal } })),
    },
  };
  const open = [
    { version: versionOf('held'), before: 'live' as const },
    { version: versionOf('v2'), before: null },
  ];
  assert.equal(adopt(state, late, open, 10), false);
  const { revisions, rollout } = toMemory(state);
  assert.equal(rollout.live?.version, 'v2');
  assert.deepEqual([revisions.taken, revisions.head?.version, revisions.accepted], ['v2', 'v2', ['a']]);
  assert.deepEqual(revisions.contents, ['one', 'two'], 'the newest last');
  assert.deepEqual(
    [rollout.muted, rollout.pins, rollout.pushes],
    [['m'], [{ version: versionOf('v0'), cause: { type: 'refused', ...refusal } }], 7],
  );
  const { facts } = step(state, { type: 'unlisted' }, 11);
  assert.deepEqual(facts, [{ type: 'closed', version: 'held', outcome: 'live', isNew: false }]);
});

test('what is remembered has its bound, with a late memory, too', () => {
  const many = Array.from({ length: 1_000 }, (_, at) => `v${at}`);
  const full = (prefix: string): Memory => ({
    revisions: { ...none.revisions, accepted: many.map((each) => versionOf(prefix + each)), contents: many },
    rollout: {
      ...none.rollout,
      pins: many.map((each) => ({
        version: versionOf(prefix + each),
        cause: { type: 'refused' as const, ...refusal },
      })),
    },
  });
  const state = begin(full('new '));
  adopt(state, full('old '), [], 0);
  const { revisions, rollout } = toMemory(state);
  assert.deepEqual(revisions.accepted, full('new ').revisions.accepted);
  assert.deepEqual(rollout.pins, full('new ').rollout.pins);
});
