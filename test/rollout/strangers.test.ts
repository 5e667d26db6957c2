import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plan } from '../../src/rollout/plan.ts';
import { orderOf } from '../../src/rollout/reach.ts';
import { targetOf } from '../../src/rollout/targets.ts';
import { step } from '../../src/rollout/step.ts';
import type { RolloutEvent, RolloutFact } from '../../src/rollout/types.ts';
import { versionOf } from '../helpers/ids.ts';
import { JoiningFleet } from './joining.ts';

const everyone = { nodes: { type: 'everyone' }, customers: null, bakeMs: 0, isManual: false } as const;
const plan: Plan = { strategy: 's', waves: [{ ...everyone, nodes: { type: 'count', count: 1 } }, everyone] };
const honest = Array.from({ length: 20 }, (_, at) => `n${at}`);
const first = Math.min(...honest.map(orderOf));
/** Ids that come before all others in the order. */
const strange = Array.from({ length: 40_000 }, (_, at) => `s${at}`).filter((id) => orderOf(id) < first);

/** A fleet that answers at once; `answer`: what a stranger says to a candidate. */
class Fleet extends JoiningFleet {
  readonly facts: RolloutFact[] = [];
  readonly #answer: 'ack' | 'nack' | null;

  constructor(answer: 'ack' | 'nack' | null) {
    super({ ackTimeoutMs: 30_000, quorum: 0.5, voteAfterMs: 5_000 });
    this.#answer = answer;
    for (const id of honest) this.join(id);
    this.apply({ type: 'release', at: 0, version: versionOf('v'), plan });
  }

  commit(number: number): void {
    this.apply({ type: 'release', at: this.at, version: versionOf(`v${number}`), plan });
    this.wait(31);
    this.wait(31);
    if (this.state.candidate?.paused) this.apply({ type: 'resume', at: this.at, by: 'ops', why: '' });
    this.wait(31);
  }

  override apply(event: RolloutEvent): void {
    this.facts.push(...step(this.state, event).facts);
    for (let due = this.#due(); due !== undefined; due = this.#due()) this.facts.push(...step(this.state, due).facts);
  }

  count(type: RolloutFact['type']): number {
    return this.facts.filter((fact) => fact.type === type).length;
  }

  #due(): RolloutEvent | undefined {
    for (const [session, node] of this.state.nodes) {
      const version = targetOf(this.state, node.labels);
      const who = { at: this.at, session, version: version ?? versionOf('') };
      if (version !== null && node.sent !== version) return { type: 'sent', ...who };
      const isLive = version === this.state.live?.version;
      // It accepts what it has to, to have its vote back.
      const isGood = isLive || (this.state.strikes.get(node.id)?.owed ?? 0) > 0;
      const answer = node.id.startsWith('n') || (isGood && this.#answer !== null) ? 'ack' : this.#answer;
      if (version === null || node.answer !== null || answer === null) continue;
      return answer === 'ack' ? { type: 'acked', ...who } : { type: 'nacked', ...who, code: 13, message: 'no' };
    }
    return undefined;
  }
}

test('a stranger whose node is the first of each wave rolls back fewer and fewer commits', () => {
  const fleet = new Fleet('nack');
  fleet.join(strange[0] ?? '');
  for (let commit = 0; commit < 60; commit += 1) fleet.commit(commit);
  const bad = fleet.count('rolled_back');
  assert.ok(bad >= 2 && bad <= 1 + Math.log2(61), `${bad} of 60 rolled back`);
});

test('nor more under new node ids each time', () => {
  const fleet = new Fleet('nack');
  for (let commit = 0; commit < 30; commit += 1) {
    const sessions = [0, 1, 2].map((at) => fleet.join(strange[3 * commit + at] ?? '', 'one client'));
    fleet.wait(commit % 2 === 0 ? 1 : 10);
    fleet.commit(commit);
    for (const session of sessions) fleet.apply({ type: 'left', at: fleet.at, session });
  }
  const bad = fleet.count('rolled_back');
  assert.ok(bad >= 3 && bad <= 3 + Math.log2(31), `${bad} of 30 rolled back`);
});

test('one that is silent pauses nothing, however often it joins anew', () => {
  const fleet = new Fleet(null);
  let session = fleet.join(strange[0] ?? '');
  for (let commit = 0; commit < 10; commit += 1) {
    fleet.apply({ type: 'left', at: fleet.at, session });
    session = fleet.join(strange[0] ?? '');
    fleet.commit(commit);
  }
  assert.equal(fleet.count('paused'), 0);
  assert.equal(fleet.state.live?.version, 'v9');
});
