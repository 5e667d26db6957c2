import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { SessionId } from '../../src/ids.ts';
import { nextDeadline } from '../../src/rollout/deadline.ts';
import { createRollout, toRolloutMemory } from '../../src/rollout/state.ts';
import { aimOf, nodeState, targetOf } from '../../src/rollout/targets.ts';
import { voteOf } from '../../src/rollout/votes.ts';
import type { RolloutMemory, RolloutSettings, RolloutState } from '../../src/rollout/state.ts';
import { allAtOnce } from '../../src/rollout/plan.ts';
import type { CustomerSet, NodeSet, Plan, Wave } from '../../src/rollout/plan.ts';
import { step } from '../../src/rollout/step.ts';
import type { Cause, CheckVerdict, RolloutEvent, RolloutFact, WaveProgress } from '../../src/rollout/types.ts';
import { labelsOf, sessionOf, versionOf } from '../helpers/ids.ts';
import { runTranscript } from '../helpers/transcript.ts';
import { JoiningFleet } from './joining.ts';

const folder = new URL('./', import.meta.url);
for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
  test(`rollout transcript ${file}`, () => {
    const fleet = createFleet();
    return runTranscript(new URL(file, folder).pathname, (command) => fleet(command));
  });
}

/**
 * Commands: `at SECONDS`, `restart [MEMBERS]`, `show`, `votes`, `due` (when a tick is), `since`, `refusals`,
 * `settings QUORUM SECONDS` (of holding until a vote counts; a new rollout), the events by their names, and
 * `many PREFIX NUMBER EVENT ...`: the same of PREFIXa to as many as NUMBER;
 * `strategy - WAVES` (see `planOf`) of the next releases; `checks NAMES` and `window FROM TO` (of a freeze): a new rollout; `targets`;
 * `release V accepted`: an operator has accepted it; `ack [IDS]`: these nodes, or all, accept their targets.
 */
function createFleet(): (command: string) => string[] {
  let settings: RolloutSettings = { ackTimeoutMs: 30_000, quorum: 0.5, voteAfterMs: 0 };
  let plan = allAtOnce;
  let state = createRollout(settings);
  let at = 0;
  return (command) => {
    const [word = '', first = '', second = '', ...rest] = command.split(' ');
    if (word === 'at') {
      at = Number(first) * 1000;
      return [];
    }
    if (word === 'restart') {
      state = createRollout(settings, { ...toRolloutMemory(state), members: [Number(first || 0)] }, at);
      return show(state);
    }
    if (word === 'settings') {
      settings = { ...settings, quorum: Number(first), voteAfterMs: Number(second) * 1000 };
      state = createRollout(settings);
      return [];
    }
    if (word === 'strategy') {
      plan = planOf([second, ...rest]);
      return [];
    }
    if (word === 'checks') {
      settings = { ...settings, checks: [first, second, ...rest].filter((name) => name !== '') };
      state = createRollout(settings);
      return [];
    }
    if (word === 'window') {
      const [from, to] = [Number(first) * 1000, Number(second) * 1000];
      settings = { ...settings, frozenAt: (now) => (now >= from && now < to ? { until: to, reason: 'window' } : null) };
      state = createRollout(settings);
      return [];
    }
    if (word === 'targets')
      return [...state.nodes.values()].map((node) => `${node.id} ${targetOf(state, node.labels)}`);
    if (word === 'show') return show(state);
    if (word === 'votes') return [...state.nodes].map(([session, node]) => `${session} ${voteOf(state, node, at)}`);
    if (word === 'ack') {
      const ids = [first, second, ...rest].filter((id) => id !== '');
      return [...state.nodes].flatMap(([session, { id, labels }]) => {
        const target = targetOf(state, labels);
        const isAsked = ids.length === 0 || ids.includes(id);
        return target !== null && isAsked ? perform(`acked ${session} ${target}`) : [];
      });
    }
    if (word === 'many') return many(first, Number(second), rest).flatMap((each) => perform(each));
    if (word === 'since') return [`live since ${(state.live?.since ?? 0) / 1000}`];
    if (word === 'refusals')
      return [...state.nodes].map(([session, { refusal }]) => `${session} ${refusal?.message ?? '-'}`);
    if (word === 'due') return [`due ${(nextDeadline(state, at) ?? 0) / 1000}`];
    return perform(command);
  };
  function perform(command: string): string[] {
    const [word = '', first = '', second = '', ...rest] = command.split(' ');
    const event = toEvent({ at, word, first, second, rest });
    const { facts } = step(state, event.type === 'release' || event.type === 'retry' ? { ...event, plan } : event);
    return facts.flatMap(toLines);
  }
}

function many(prefix: string, number: number, [event, ...rest]: string[]): string[] {
  return Array.from({ length: number }, (_, at) =>
    [event, `${prefix}${String.fromCharCode(97 + at)}`, ...rest].join(' '),
  );
}

function toEvent(input: { at: number; word: string; first: string; second: string; rest: string[] }): RolloutEvent {
  const { at, word, first, second, rest } = input;
  switch (word) {
    case 'release':
    case 'retry':
      return { type: word, at, version: versionOf(first), isAccepted: second === 'accepted' };
    case 'joined':
      return {
        type: word,
        at,
        session: sessionOf(first),
        node: labelsOf(first.replace(/\d$/, '')),
        client: second || null,
      };
    case 'left':
      return { type: word, at, session: sessionOf(first) };
    case 'mute':
    case 'unmute':
      return { type: word, at, node: first, by: 'operator' };
    case 'sent':
    case 'acked':
      return { type: word, at, session: sessionOf(first), version: versionOf(second) };
    case 'nacked':
      return {
        type: word,
        at,
        session: sessionOf(first),
        version: versionOf(second),
        code: 13,
        message: rest.join(' '),
      };
    case 'tick':
      return { type: 'tick', at };
    case 'check':
      return { type: word, at, name: first, verdict: second as CheckVerdict, message: rest.join(' ') };
    case 'pause':
    case 'resume':
    case 'abort':
    case 'unfreeze':
      return { type: word, at, by: first, why: [second, ...rest].join(' ').trim() };
    case 'promote':
      return { type: word, at, by: first, why: '', all: second === 'all' };
    case 'freeze':
      return { type: word, at, by: first, why: '', until: second === '' ? null : Number(second) * 1000 };
    default:
      throw new Error(`unknown command ${word}`);
  }
}

function toLines(fact: RolloutFact): string[] {
  switch (fact.type) {
    case 'offered':
      return [`offer ${fact.version}${describe(fact.wave)}`];
    case 'nothing_to_offer':
      return ['offer null'];
    case 'superseded':
      return [`outcome ${fact.version} superseded`];
    case 'live':
      return [
        ...(fact.isNew ? [`outcome ${fact.version} live`] : []),
        `live ${fact.version} ${fact.proven ? 'proven' : 'unproven'}`,
      ];
    case 'nothing_live':
      return ['live none'];
    case 'rolled_back':
      return [`pinned ${fact.version} by ${describeCause(fact.cause)}`, `outcome ${fact.version} rolled_back`];
    case 'still_pinned':
      return [`${fact.type} ${fact.version} by ${describeCause(fact.cause)}`];
    case 'refused':
      return [`${fact.type} ${fact.version} by ${fact.refusal.node}: ${fact.refusal.message}`];
    case 'unpinned':
      return [`unpinned ${fact.version}`];
    case 'unanswered':
      return [`unanswered ${fact.version} by ${fact.node}`];
    case 'wave_skipped':
      return [`${fact.version} skips wave ${fact.wave.wave}`];
    case 'wave_waits':
      return [
        `${fact.version} wave ${fact.wave.wave} waits for ${fact.reason}${fact.detail === null ? '' : ` (${fact.detail})`}`,
      ];
    case 'baking':
      return [`${fact.version} bakes until ${fact.until / 1000}`];
    case 'check':
      return [`check ${fact.name} ${fact.verdict}`];
    case 'paused':
      return [`paused by ${fact.by}: ${fact.reason}${fact.why && ` (${fact.why})`}`];
    case 'resumed':
      return [`resumed by ${fact.by}`];
    case 'promoted':
      return [`promoted by ${fact.by}${fact.all ? ', to all' : ''}`];
    case 'frozen':
      return [`frozen by ${fact.by}`];
    case 'unfrozen':
      return [`unfrozen by ${fact.by}`];
    case 'settled':
    case 'muted':
    case 'unmuted':
      return [];
  }
}

function describe(wave: WaveProgress | null): string {
  if (wave === null) return '';
  const { strategy, wave: number, waves, nodes, customers } = wave;
  return ` ${strategy} ${number}/${waves}: ${nodes} nodes${customers === null ? '' : `, ${customers.percent} % of customers and ${customers.named} named`}`;
}

function describeCause(cause: Cause): string {
  switch (cause.type) {
    case 'refused':
      return `${cause.node}: ${cause.message}`;
    case 'check':
      return `check ${cause.name}: ${cause.message}`;
    case 'aborted':
      return `operator ${cause.by}: ${cause.why}`;
  }
}

/**
 * A strategy in short: waves of `1`, `10%`, `id=edge-*`, `customers=a+b`, `customers=10%` or `all`; after a slash the seconds that it bakes,
 * or `manual`.
 */
function planOf(waves: readonly string[]): Plan {
  return { strategy: 's', waves: waves.map(toWave) };
}

function toWave(text: string): Wave {
  const [who = '', ...options] = text.split('/');
  const wave = { nodes: { type: 'everyone' } as NodeSet, customers: null as CustomerSet | null };
  const customers = /^customers=(.*)$/.exec(who)?.[1];
  if (customers?.endsWith('%')) wave.customers = { type: 'share', share: parseInt(customers, 10) / 100 };
  else if (customers !== undefined) wave.customers = { type: 'named', ids: customers.split('+') };
  else if (who.startsWith('id=')) wave.nodes = { type: 'matching', globs: { id: who.slice(3) } };
  else if (who.endsWith('%')) wave.nodes = { type: 'share', share: parseInt(who, 10) / 100 };
  else if (who !== 'all') wave.nodes = { type: 'count', count: Number(who) };
  const seconds = options.find((option) => option !== 'manual') ?? '0';
  return { ...wave, bakeMs: Number(seconds) * 1000, isManual: options.includes('manual') };
}

/** What became of the version that a fact is about, if it says so. */
function outcomeOf(fact: RolloutFact): [string, string] | null {
  if (fact.type === 'rolled_back' || fact.type === 'superseded') return [fact.version, fact.type];
  return fact.type === 'live' && fact.isNew ? [fact.version, 'live'] : null;
}

function show(state: RolloutState): string[] {
  const live = state.live ? `${state.live.version} ${state.live.proven ? 'proven' : 'unproven'}` : 'none';
  const nodes = [...state.nodes].map(([session, node]) => `${session} ${nodeState(state, session)} ${node.version}`);
  return [
    `live ${live}, candidate ${state.candidate?.version ?? 'none'}, pins [${[...state.pins.keys()].join(' ')}]`,
    ...nodes,
  ];
}

const settings = { ackTimeoutMs: 30_000, quorum: 0.5, voteAfterMs: 5_000 };

/** What a restart does not change. */
function kept({ candidate, ...memory }: RolloutMemory): object {
  return { ...memory, stages: 0, candidate: candidate && { ...candidate, phase: candidate.phase.type } };
}

/** What is kept beside the nodes agrees with them. */
function assertCounts(state: RolloutState): void {
  const { nodes, ids, muted, members, electorate, tally, waiting } = state;
  const streams = Object.groupBy(nodes.values(), ({ id }) => id);
  assert.deepEqual(
    Object.fromEntries(ids),
    Object.fromEntries(Object.entries(streams).map(([id, all]) => [id, all?.length])),
  );
  assert.equal(members, [...ids.keys()].filter((id) => !muted.has(id)).length);
  for (const id of [...tally.acked, ...tally.refused.keys(), ...tally.shared.keys()]) {
    assert.ok(!muted.has(id), 'a muted node is not counted');
    assert.ok(electorate?.has(id) ?? ids.has(id), 'only who is asked is counted');
  }
  for (const session of waiting.keys()) assert.ok(!muted.has(nodes.get(session)!.id), 'nor waited for');
  for (const node of nodes.values()) assert.ok(node.answer !== 'nack' || node.heldSince === null);
}

// Any order of events: what must hold always.
// (two streams may have the same node.id)
const session = fc.constantFrom(...['a', 'b', 'c', 'b2'].map(sessionOf));
const version = fc.constantFrom(...['v1', 'v2', 'v3', 'v4'].map(versionOf));
const happening = fc.oneof(
  fc.record({ kind: fc.constant('release' as const), version }),
  fc.record({ kind: fc.constant('retry' as const), version }),
  fc.record({ kind: fc.constant('joined' as const), session }),
  fc.record({ kind: fc.constant('left' as const), session }),
  fc.record({ kind: fc.constantFrom('mute' as const, 'unmute' as const), id: fc.constantFrom('a', 'b', 'other') }),
  fc.record({ kind: fc.constant('answer' as const), session, ok: fc.boolean() }),
  fc.record({ kind: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 40 }) }),
);

test('any order of events keeps the invariants, and ends with nothing awaited', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 60, size: 'max' }), (happenings) => {
      const state = createRollout(settings);
      const outcomes = new Map<string, string>();
      let at = 0;
      const apply = (event: RolloutEvent): void => {
        const { facts, effects } = step(state, event);
        for (const { version } of effects) assert.equal(version, aimOf(state));
        for (const [version, outcome] of facts.map(outcomeOf).filter((each) => each !== null))
          outcomes.set(version, outcome);
        assert.ok(state.awaited === null || state.waiting.size > 0, 'who awaits nobody has settled');
        const memory = toRolloutMemory(state);
        assert.deepEqual(kept(toRolloutMemory(createRollout(settings, memory))), kept(memory), 'a restart knows it');
        // Whatever is offered reaches each node at once: the wire is the xDS tests' business.
        const target = aimOf(state);
        for (const [session, node] of state.nodes)
          if (target !== null && node.sent !== target) step(state, { type: 'sent', at, session, version: target });
        const target2 = aimOf(state);
        assert.ok(target2 === null || !state.pins.has(target2), 'a pinned release is never the target');
        assertCounts(state);
        for (const [session, deadline] of state.waiting) {
          const node = state.nodes.get(session);
          assert.ok(node, 'only who is there is waited for');
          assert.ok(node.sent !== aimOf(state) || node.answer !== 'ack', 'not who has accepted');
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
        else if (item.kind !== 'left' && item.kind !== 'answer' && item.kind !== 'joined')
          apply({ type: item.kind, at, node: item.id, by: 'operator' });
        else if (item.kind === 'joined' && state.nodes.has(item.session))
          continue; // a stream joins once
        else if (item.kind === 'joined')
          apply({ type: 'joined', at, session: item.session, node: labelsOf(item.session.slice(0, 1)) });
        else if (item.kind === 'left') apply({ type: 'left', at, session: item.session });
        else {
          const sent = state.nodes.get(item.session)?.sent;
          if (sent == null) continue;
          const who = { at, session: item.session, version: sent };
          apply(item.ok ? { type: 'acked', ...who } : { type: 'nacked', ...who, code: 13, message: 'no' });
        }
      }
      let ticks = 0;
      for (let due = nextDeadline(state, at); due !== null; due = nextDeadline(state, at)) {
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

/** A fleet whose nodes get at once what is offered, and answer as `answer` says (null: not at all). */
class Fleet extends JoiningFleet {
  readonly outcomes = new Map<string, string>();
  readonly #answer: (id: string, version: string) => 'ack' | 'nack' | null;

  constructor(answer: Fleet['answer']) {
    super(settings);
    this.#answer = answer;
  }

  get answer() {
    return this.#answer;
  }

  override apply(event: RolloutEvent): void {
    for (const [version, outcome] of step(this.state, event)
      .facts.map(outcomeOf)
      .filter((each) => each !== null))
      this.outcomes.set(version, outcome);
    for (const [session, node] of this.state.nodes) {
      const version = aimOf(this.state);
      if (version === null || (node.sent === version && node.answer !== null)) continue;
      const who = { at: this.at, session, version };
      if (node.sent !== version) step(this.state, { type: 'sent', ...who });
      const answer = this.#answer(node.id, version);
      if (answer === 'ack') return this.apply({ type: 'acked', ...who });
      if (answer === 'nack') return this.apply({ type: 'nacked', ...who, code: 13, message: 'no' });
    }
  }

  count(outcome: string): number {
    return [...this.outcomes.values()].filter((each) => each === outcome).length;
  }
}

/** What one garbage client does at a commit. */
const garbage = fc.record({
  answers: fc.constantFrom('ack' as const, 'nack' as const, 'nack' as const, null),
  rejoins: fc.boolean(),
  isFirst: fc.boolean(),
  seconds: fc.integer({ min: 0, max: 60 }),
});

test('one garbage client among 21 rolls back fewer and fewer commits', () => {
  let most = 0;
  fc.assert(
    fc.property(fc.array(garbage, { minLength: 1, maxLength: 60, size: 'max' }), (moves) => {
      let answers: 'ack' | 'nack' | null = 'ack';
      // What is live already it accepts, to have a say again.
      const fleet: Fleet = new Fleet((id, version) =>
        id !== 'garbage' || version === fleet.state.live?.version ? 'ack' : answers,
      );
      for (let at = 0; at < 20; at += 1) fleet.join(`n${at}`);
      let session = fleet.join('garbage');
      fleet.apply({ type: 'release', at: 0, version: versionOf('first') });
      for (const [commit, move] of moves.entries()) {
        fleet.wait(move.seconds);
        answers = move.answers;
        if (move.rejoins) {
          fleet.apply({ type: 'left', at: fleet.at, session });
          session = fleet.join('garbage');
        }
        fleet.apply({ type: 'release', at: fleet.at, version: versionOf(`v${commit}`) });
      }
      fleet.wait(31);
      const [bad, good] = [fleet.count('rolled_back'), fleet.count('live')];
      most = Math.max(most, bad);
      assert.ok(bad <= 1 + Math.log2(good + 1), `${bad} rolled back, ${good} live`);
      assert.equal(fleet.state.candidate, null);
      assert.equal(fleet.state.live?.proven, true);
    }),
    { numRuns: 300 },
  );
  assert.ok(most >= 3, `the most that were rolled back is ${most}: the test sees no attack`);
});

test('one client under many node ids, new ones each time, rolls back fewer and fewer commits', () => {
  const fleet: Fleet = new Fleet((id, version) =>
    !id.startsWith('garbage') || version === fleet.state.live?.version ? 'ack' : 'nack',
  );
  for (let at = 0; at < 40; at += 1) fleet.join(`n${at}`);
  fleet.apply({ type: 'release', at: 0, version: versionOf('first') });
  for (let commit = 0; commit < 60; commit += 1) {
    const sessions = Array.from({ length: 10 }, (_, at) => fleet.join(`garbage ${commit} ${at}`, 'one client'));
    fleet.wait(10);
    fleet.apply({ type: 'release', at: fleet.at, version: versionOf(`v${commit}`) });
    fleet.wait(1);
    for (const session of sessions) fleet.apply({ type: 'left', at: fleet.at, session });
  }
  const [bad, good] = [fleet.count('rolled_back'), fleet.count('live')];
  assert.ok(bad >= 3 && bad <= 3 + Math.log2(good + 1), `${bad} rolled back, ${good} live`);
});

test('a garbage ACK proves nothing that the others refuse', () => {
  fc.assert(
    fc.property(fc.array(garbage, { maxLength: 20, size: 'max' }), fc.boolean(), (moves, isAway) => {
      let bad = '';
      const fleet = new Fleet((id, version) => (id === 'garbage' || version !== bad ? 'ack' : 'nack'));
      const members = Array.from({ length: 20 }, (_, at) => fleet.join(`n${at}`));
      let session = fleet.join('garbage');
      fleet.apply({ type: 'release', at: 0, version: versionOf('first') });
      for (const [commit, move] of moves.entries()) {
        fleet.wait(move.seconds);
        if (move.rejoins) {
          fleet.apply({ type: 'left', at: fleet.at, session });
          session = fleet.join('garbage');
        }
        bad = move.answers === 'nack' ? `v${commit}` : '';
        fleet.apply({ type: 'release', at: fleet.at, version: versionOf(`v${commit}`) });
        assert.equal(fleet.outcomes.get(`v${commit}`), bad === '' ? 'live' : 'rolled_back');
      }
      // The whole fleet is away while a bad release comes, and garbage is the first to be back.
      bad = 'last';
      if (isAway) for (const each of [...members, session]) fleet.apply({ type: 'left', at: fleet.at, session: each });
      fleet.apply({ type: 'release', at: fleet.at, version: versionOf(bad) });
      if (isAway) for (const id of ['garbage', ...members.map((_, at) => `n${at}`)]) fleet.join(id);
      assert.equal(fleet.outcomes.get(bad), 'rolled_back');
      assert.notEqual(fleet.state.live?.version, bad);
    }),
    { numRuns: 300 },
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

test('an ACK costs the same however large the fleet is, and the last one no more than three walks over it', () => {
  const size = 5_000;
  const nodes: RolloutState['nodes'] & { visits: number } = new CountingMap();
  const state: RolloutState = { ...createRollout(settings), nodes };
  const sessions = Array.from({ length: size }, (_, index) => sessionOf(`n${index}`));
  for (const session of sessions) step(state, { type: 'joined', at: 0, session, node: labelsOf(session) });
  step(state, { type: 'release', at: 0, version: versionOf('v1') });
  assert.ok(nodes.visits >= size, 'it counts');
  for (const session of sessions) step(state, { type: 'sent', at: 0, session, version: versionOf('v1') });
  const waiting = new CountingMap(state.waiting);
  state.waiting = waiting;
  const lines: string[] = [];
  const ack = (session: SessionId): number => {
    const before = nodes.visits + waiting.visits;
    lines.push(...step(state, { type: 'acked', at: 1, session, version: versionOf('v1') }).facts.flatMap(toLines));
    return nodes.visits + waiting.visits - before;
  };
  const visits = sessions.map(ack);
  const last = visits.pop() ?? 0;
  assert.deepEqual(lines, ['outcome v1 live', 'live v1 proven']);
  assert.equal(Math.max(...visits), 0);
  assert.ok(last <= 3 * size, `the last one walks over ${last}`);
  assert.equal(ack(sessionOf('n0')), 0, 'nor does a late one walk');
});

test('an ACK in a wave costs the same however large the fleet is, and the last one walks over it a few times', () => {
  const size = 5_000;
  const nodes: RolloutState['nodes'] & { visits: number } = new CountingMap();
  const state: RolloutState = { ...createRollout(settings), nodes };
  const sessions = Array.from({ length: size }, (_, index) => sessionOf(`n${index}`));
  for (const session of sessions) step(state, { type: 'joined', at: 0, session, node: labelsOf(session) });
  const send = (version: string): number[] => {
    const reached = [...nodes].filter(([, { labels }]) => targetOf(state, labels) === version).map(([each]) => each);
    for (const session of reached) step(state, { type: 'sent', at: 1, session, version: versionOf(version) });
    return reached.map((session) => {
      const before = nodes.visits;
      step(state, { type: 'acked', at: 1, session, version: versionOf(version) });
      return nodes.visits - before;
    });
  };
  step(state, { type: 'release', at: 0, version: versionOf('v1') });
  send('v1');
  step(state, { type: 'release', at: 1, version: versionOf('v2'), plan: planOf(['50%/60', 'all']) });
  const visits = send('v2');
  assert.equal(visits.length, size / 2);
  assert.equal(state.candidate?.phase.type, 'baking');
  const last = visits.pop() ?? 0;
  assert.equal(Math.max(...visits), 0);
  assert.ok(last <= 4 * size, `the last one walks over ${last}`);
});
