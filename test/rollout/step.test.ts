import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createRollout, nextDeadline, nodeState, targetOf } from '../../src/rollout/state.ts';
import type { RolloutState } from '../../src/rollout/state.ts';
import { step } from '../../src/rollout/step.ts';
import type { RolloutAction, RolloutEvent } from '../../src/rollout/types.ts';
import { runTranscript } from '../helpers/transcript.ts';

const folder = new URL('./', import.meta.url);
for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
  test(`rollout transcript ${file}`, () => {
    const fleet = createFleet();
    return runTranscript(new URL(file, folder).pathname, (command) => fleet(command));
  });
}

/** Commands: `at SECONDS`, `restart`, `show`, `due` (when a tick is), `since`, `refusals`, and the events by their names. */
function createFleet(): (command: string) => string[] {
  let state = createRollout(30_000);
  let at = 0;
  return (command) => {
    const [word = '', first = '', second = '', ...rest] = command.split(' ');
    if (word === 'at') {
      at = Number(first) * 1000;
      return [];
    }
    if (word === 'restart') {
      state = createRollout(30_000, state);
      return show(state);
    }
    if (word === 'show') return show(state);
    if (word === 'since') return [`live since ${(state.live?.since ?? 0) / 1000}`];
    if (word === 'refusals')
      return [...state.nodes].map(([session, { refusal }]) => `${session} ${refusal?.message ?? '-'}`);
    if (word === 'due') return [`due ${(nextDeadline(state) ?? 0) / 1000}`];
    return step(state, toEvent({ at, word, first, second, rest })).map(toLine);
  };
}

function toEvent(input: { at: number; word: string; first: string; second: string; rest: string[] }): RolloutEvent {
  const { at, word, first, second, rest } = input;
  switch (word) {
    case 'release':
    case 'retry':
      return { type: word, at, version: first };
    case 'joined':
      return { type: word, at, session: first, node: first.replace(/\d$/, '') };
    case 'left':
      return { type: word, at, session: first };
    case 'sent':
    case 'acked':
      return { type: word, at, session: first, version: second };
    case 'nacked':
      return { type: word, at, session: first, version: second, code: 13, message: rest.join(' ') };
    case 'tick':
      return { type: 'tick', at };
    default:
      throw new Error(`unknown command ${word}`);
  }
}

function toLine(action: RolloutAction): string {
  switch (action.type) {
    case 'offer':
      return `offer ${action.version}`;
    case 'outcome':
      return `outcome ${action.version} ${action.outcome}`;
    case 'live':
      return action.live ? `live ${action.live.version} ${action.live.proven ? 'proven' : 'unproven'}` : 'live none';
    case 'pinned':
    case 'still_pinned':
    case 'refused':
      return `${action.type} ${action.version} by ${action.refusal.node}: ${action.refusal.message}`;
    case 'unpinned':
      return `unpinned ${action.version}`;
    case 'unanswered':
      return `unanswered ${action.version} by ${action.node}`;
  }
}

function show(state: RolloutState): string[] {
  const live = state.live ? `${state.live.version} ${state.live.proven ? 'proven' : 'unproven'}` : 'none';
  const nodes = [...state.nodes].map(([session, node]) => `${session} ${nodeState(state, session)} ${node.version}`);
  return [
    `live ${live}, candidate ${state.candidate?.version ?? 'none'}, pins [${[...state.pins.keys()].join(' ')}]`,
    ...nodes,
  ];
}

// Any order of events: what must hold always.
const session = fc.constantFrom('a', 'b', 'c');
const version = fc.constantFrom('v1', 'v2', 'v3', 'v4');
const happening = fc.oneof(
  fc.record({ kind: fc.constant('release' as const), version }),
  fc.record({ kind: fc.constant('retry' as const), version }),
  fc.record({ kind: fc.constant('joined' as const), session }),
  fc.record({ kind: fc.constant('left' as const), session }),
  fc.record({ kind: fc.constant('answer' as const), session, ok: fc.boolean() }),
  fc.record({ kind: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 40 }) }),
);

test('any order of events keeps the invariants, and ends with nothing awaited', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
      const state = createRollout(30_000);
      const outcomes = new Map<string, string>();
      let at = 0;
      const apply = (event: RolloutEvent): void => {
        for (const action of step(state, event)) {
          if (action.type === 'offer') assert.equal(action.version, targetOf(state));
          if (action.type === 'outcome') outcomes.set(action.version, action.outcome);
        }
        // Whatever is offered reaches each node at once: the wire is the xDS tests' business.
        const target = targetOf(state);
        for (const [session, node] of state.nodes)
          if (target !== null && node.sent !== target) step(state, { type: 'sent', at, session, version: target });
        const target2 = targetOf(state);
        assert.ok(target2 === null || !state.pins.has(target2), 'a pinned release is never the target');
        assert.ok(!state.live?.proven || state.proven === state.live.version);
        for (const [session, deadline] of state.waiting) {
          const node = state.nodes.get(session);
          assert.ok(node, 'only who is there is waited for');
          assert.ok(node.sent !== targetOf(state) || node.answer !== 'ack', 'not who has accepted');
          assert.ok(deadline <= event.at + 30_000);
        }
        const deadlines = [...state.waiting.values()];
        assert.deepEqual(
          deadlines,
          deadlines.toSorted((a, b) => a - b),
          'the first is due first',
        );
      };
      for (const item of happenings) {
        if (item.kind === 'wait') apply({ type: 'tick', at: (at += item.seconds * 1000) });
        else if (item.kind === 'release' || item.kind === 'retry')
          apply({ type: item.kind, at, version: item.version });
        else if (item.kind === 'joined' && state.nodes.has(item.session))
          continue; // a stream joins once
        else if (item.kind === 'joined') apply({ type: 'joined', at, session: item.session, node: item.session });
        else if (item.kind === 'left') apply({ type: 'left', at, session: item.session });
        else {
          const sent = state.nodes.get(item.session)?.sent;
          if (sent == null) continue;
          const who = { at, session: item.session, version: sent };
          apply(item.ok ? { type: 'acked', ...who } : { type: 'nacked', ...who, code: 13, message: 'no' });
        }
      }
      let ticks = 0;
      for (let due = nextDeadline(state); due !== null; due = nextDeadline(state)) {
        assert.ok((ticks += 1) <= 20, 'it comes to an end');
        assert.ok(due >= at, 'a deadline is never in the past');
        apply({ type: 'tick', at: (at = due) });
      }
      assert.equal(state.candidate, null);
      for (const pinned of state.pins.keys()) assert.equal(outcomes.get(pinned), 'rolled_back');
    }),
    { numRuns: 2000 },
  );
});

/** A map that counts the entries that are walked over: the cost of a step, without a clock. */
class CountingMap<K, V> extends Map<K, V> {
  visits = 0;

  override *entries(): MapIterator<[K, V]> {
    for (const entry of super.entries()) {
      this.visits += 1;
      yield entry;
    }
  }

  override [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries();
  }

  override *keys(): MapIterator<K> {
    for (const [key] of this.entries()) yield key;
  }

  override *values(): MapIterator<V> {
    for (const [, value] of this.entries()) yield value;
  }
}

test('an ACK costs the same however large the fleet is, and the last one no more than one walk over it', () => {
  const size = 5_000;
  const nodes: RolloutState['nodes'] & { visits: number } = new CountingMap();
  const state: RolloutState = { ...createRollout(30_000), nodes };
  const sessions = Array.from({ length: size }, (_, index) => `n${index}`);
  for (const session of sessions) step(state, { type: 'joined', at: 0, session, node: session });
  step(state, { type: 'release', at: 0, version: 'v1' });
  assert.ok(nodes.visits >= size, 'it counts');
  for (const session of sessions) step(state, { type: 'sent', at: 0, session, version: 'v1' });
  const waiting = new CountingMap(state.waiting);
  state.waiting = waiting;
  const lines: string[] = [];
  const ack = (session: string): number => {
    const before = nodes.visits + waiting.visits;
    lines.push(...step(state, { type: 'acked', at: 1, session, version: 'v1' }).map(toLine));
    return nodes.visits + waiting.visits - before;
  };
  const visits = sessions.map(ack);
  const last = visits.pop() ?? 0;
  assert.deepEqual(lines, ['outcome v1 live', 'live v1 proven']);
  assert.equal(Math.max(...visits), 0);
  assert.ok(last <= size, `the last one walks over ${last}`);
  assert.equal(ack('n0'), 0, 'nor does a late one walk');
});
