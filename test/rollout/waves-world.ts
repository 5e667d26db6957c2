import assert from 'node:assert/strict';
import type { SessionId, Version } from '../../src/ids.ts';
import { commitOf, type Candidate } from '../../src/rollout/candidate.ts';
import { nextDeadline } from '../../src/rollout/deadline.ts';
import { allAtOnce, type NodeSet, type Plan } from '../../src/rollout/plan.ts';
import { orderOf, type NodeLabels } from '../../src/rollout/reach.ts';
import { createRollout, toRolloutMemory } from '../../src/rollout/state.ts';
import { aimOf, targetOf } from '../../src/rollout/targets.ts';
import type { RolloutMemory, RolloutSettings, RolloutState } from '../../src/rollout/state.ts';
import { step } from '../../src/rollout/step.ts';
import type { CheckVerdict, RolloutEvent, RolloutFact } from '../../src/rollout/types.ts';
import { sessionOf, versionOf } from '../helpers/ids.ts';

/** All nodes that there may be. */
export const nodes: readonly NodeLabels[] = ['a', 'b', 'c', 'd', 'e', 'f', 'edge-1', 'edge-2'].map((id, at) => ({
  id,
  cluster: at % 2 === 0 ? 'web' : 'api',
  locality: at < 4 ? 'eu/1' : 'us/1',
  metadata: at % 3 === 0 ? { 'canary.is': 'yes' } : {},
}));

/** What the test itself computes and remembers, beside the machine. */
interface Watch {
  /** What a candidate's waves have reached so far. */
  reached: readonly ((node: NodeLabels) => boolean)[];
  /** How long the wave has baked; null: it does not bake. */
  bakedMs: number | null;
  /** Since when it bakes; null: it is stopped. */
  bakesSince: number | null;
  /** The last verdict of each check in this wave. */
  verdicts: Map<string, CheckVerdict>;
  isPromoted: boolean;
  isHurried: boolean;
  version: Version | null;
  plan: Plan | null;
  /** The index of the wave that has begun; -1: none. */
  wave: number;
}

const fresh: Watch = {
  ...{ reached: [], bakedMs: null, bakesSince: null, verdicts: new Map() },
  ...{ isPromoted: false, isHurried: false, version: null, plan: null, wave: -1 },
};
const windows = [
  [200_000, 400_000],
  [1_500_000, 2_500_000],
] as const;

/** A fleet, operators and checks around the machine. After each event it asserts what must hold always. */
export class World {
  readonly settings: RolloutSettings;
  state: RolloutState;
  at = 0;
  /** What has happened in this run. */
  readonly seen = new Set<string>();
  #watch: Watch = fresh;
  /** What each version on the wire was made of. */
  readonly #contents = new Map<string, string>();
  #streams = 0;
  #counted: { members: string[]; sound: string[] } = { members: [], sound: [] };
  /** What the store has: the newest last. */
  #written: { json: string; watch: Watch }[] = [];

  constructor(checks: readonly string[]) {
    this.settings = {
      ...{ ackTimeoutMs: 30_000, quorum: 0.5, voteAfterMs: 5_000, checks },
      frozenAt: (at) => {
        const open = windows.find(([from, to]) => at >= from && at < to);
        return open === undefined ? null : { until: open[1], reason: 'window' };
      },
    };
    this.state = createRollout(this.settings);
  }

  join(id: string): void {
    const node = nodes.find((each) => each.id === id);
    if (node === undefined || (this.state.ids.get(id) ?? 0) > 1) return;
    this.apply({ type: 'joined', at: this.at, session: sessionOf(`${id}/${(this.#streams += 1)}`), node });
  }

  /** The number-th of the streams. */
  session(number: number): SessionId | undefined {
    const sessions = [...this.state.nodes.keys()];
    return sessions[number % Math.max(1, sessions.length)];
  }

  leave(number: number): void {
    const session = this.session(number);
    if (session !== undefined) this.apply({ type: 'left', at: this.at, session });
  }

  answer(session: SessionId | undefined, ok: boolean): void {
    const node = session === undefined ? undefined : this.state.nodes.get(session);
    if (session === undefined || node?.sent == null || node.answer !== null) return;
    const who = { at: this.at, session, version: node.sent };
    this.apply(ok ? { type: 'acked', ...who } : { type: 'nacked', ...who, code: 13, message: 'no' });
  }

  ackAll(): void {
    for (const session of [...this.state.nodes.keys()]) this.answer(session, true);
  }

  wait(seconds: number): void {
    const end = this.at + seconds * 1000;
    for (let due = this.#due(); due !== null && due <= end; due = this.#due()) {
      this.at = Math.max(this.at, due);
      this.apply({ type: 'tick', at: this.at });
    }
    this.at = end;
    this.apply({ type: 'tick', at: end });
  }

  command(event: CommandOf): void {
    this.apply({ ...event, at: this.at, by: 'ops', why: '' });
  }

  /** Killed: what was not written is lost, and the streams. */
  restart(lost: number): void {
    const from = this.#written.at(-1 - lost) ?? this.#written[0];
    this.#written = [];
    this.state = createRollout(this.settings, from && (JSON.parse(from.json) as RolloutMemory), this.at);
    this.#watch = from ? { ...structuredClone({ ...from.watch, reached: [] }), reached: from.watch.reached } : fresh;
    this.#watch.verdicts = new Map();
    this.#write();
  }

  /** Operators and checks do all that is needed, and the fleet accepts everything: it ends. */
  finish(): void {
    this.command({ type: 'unfreeze' });
    this.wait(Math.max(0, 2_500_000 - this.at) / 1000);
    for (let rounds = 0; this.candidate !== null; rounds += 1) {
      assert.ok(rounds < 100, `it comes to an end: ${JSON.stringify(this.candidate)}`);
      for (const { id } of nodes) if (!this.state.ids.has(id)) this.join(id);
      this.ackAll();
      for (const name of this.state.candidate?.checks ?? [])
        this.apply({ type: 'check', at: this.at, name, verdict: 'pass', message: '' });
      this.#goOn();
    }
  }

  get candidate(): Candidate | null {
    return this.state.candidate;
  }

  #goOn(): void {
    const { candidate } = this;
    const isManual = candidate?.phase.type === 'waiting' && candidate.phase.reason === 'promotion';
    if (candidate !== null && candidate.paused !== null) this.command({ type: 'resume' });
    else if (isManual) this.command({ type: 'promote', all: false });
    else this.wait(150);
  }

  apply(event: RolloutEvent): void {
    const { candidate } = this.state;
    const frozen = this.#isFrozen(event);
    const before = { candidate, pins: new Set(this.state.pins.keys()) };
    if (event.type === 'check' && candidate?.offered != null) this.#watch.verdicts.set(event.name, event.verdict);
    const isPast = (until: number): boolean => event.type === 'tick' && until <= event.at;
    const waiting = new Set([...this.state.waiting].filter(([, until]) => !isPast(until)).map(([session]) => session));
    if (event.type === 'joined') waiting.add(event.session);
    // A plan is plain JSON.
    const { facts, effects } = step(this.state, JSON.parse(JSON.stringify(event)) as RolloutEvent);
    this.#counted = this.#countable(waiting);
    for (const fact of facts) {
      this.seen.add(fact.type === 'wave_waits' || fact.type === 'paused' ? `${fact.type} ${fact.reason}` : fact.type);
      if ('version' in fact && fact.version !== null) this.#watchNew(event, fact.version);
      this.#follow(fact);
    }
    this.#send();
    assert.ok(
      effects.every(({ version }) => version === null || version === commitOf(version)),
      'a commit',
    );
    this.#assertOutcome(before.candidate, facts);
    this.#assertStops(before.candidate, { event, frozen });
    this.#assertTargets(facts);
    this.#assertDeadline();
    this.#assertPins(facts, before.pins);
    this.#write();
  }

  #due(): number | null {
    return nextDeadline(this.state, this.at);
  }

  #write(): void {
    const memory = toRolloutMemory(this.state);
    const json = JSON.stringify(memory);
    assert.deepEqual(JSON.parse(json), memory, 'plain JSON');
    assert.ok(json.length < 20_000, 'and small');
    this.#written.push({ json, watch: { ...this.#watch, verdicts: new Map(this.#watch.verdicts) } });
    this.#written = this.#written.slice(-4);
  }

  /** The wire: each node is sent its target. */
  #send(): void {
    for (const [session, node] of this.state.nodes) {
      const version = targetOf(this.state, node.labels);
      if (version !== null && node.sent !== version) step(this.state, { type: 'sent', at: this.at, session, version });
    }
  }

  #isFrozen(event: RolloutEvent): boolean {
    if (event.type === 'unfreeze') return false;
    const { freeze, thawedUntil } = this.state;
    if (freeze !== null && (freeze.until === null || event.at < freeze.until)) return true;
    return this.settings.frozenAt?.(event.at) != null && (thawedUntil === null || event.at >= thawedUntil);
  }

  /** The members that a number or a share of nodes is counted of: those that can be relied on, else all. */
  #countable(waiting: ReadonlySet<SessionId>): { members: string[]; sound: string[] } {
    const { ids, muted, strikes } = this.state;
    const members = [...ids.keys()].filter((id) => !muted.has(id));
    const streams = [...this.state.nodes];
    const sound = members.filter((id) => {
      const own = streams.filter(([, node]) => node.id === id);
      const [[session, node] = []] = own;
      if (own.length !== 1 || session === undefined || node === undefined || (strikes.get(id)?.owed ?? 0) > 0)
        return false;
      const isSilent = node.answer === null && !waiting.has(session);
      return node.version !== null && node.answer !== 'nack' && !isSilent;
    });
    return { members, sound };
  }

  /** Computes the reach by other means. */
  #extend(nodeSet: NodeSet): void {
    const { members, sound } = this.#counted;
    const add = (test: (node: NodeLabels) => boolean): void => {
      this.#watch = { ...this.#watch, reached: [...this.#watch.reached, test] };
    };
    switch (nodeSet.type) {
      case 'everyone':
        return add(() => true);
      case 'matching': {
        const { id = '*', cluster = '*', locality = '*', metadata = {} } = nodeSet.globs;
        const matches = (text: string | undefined, glob: string): boolean =>
          text !== undefined && new RegExp(`^${glob.replaceAll('*', '.*')}$`).test(text);
        return add(
          (node) =>
            matches(node.id, id) &&
            matches(node.cluster, cluster) &&
            matches(node.locality, locality) &&
            Object.entries(metadata).every(([key, glob]) => matches(node.metadata[key], glob)),
        );
      }
      default: {
        const count = nodeSet.type === 'count' ? nodeSet.count : Math.ceil(nodeSet.share * members.length);
        const inOrder = (sound.length === 0 ? members : sound).map(orderOf).sort((x, y) => x - y);
        const last = inOrder.slice(0, count).at(-1);
        if (last !== undefined) add(({ id }) => orderOf(id) <= last);
      }
    }
  }

  #isReached(node: NodeLabels): boolean {
    return this.#watch.reached.some((test) => test(node));
  }

  #follow(fact: RolloutFact): void {
    const watch = this.#watch;
    const isBaking = watch.bakedMs !== null && watch.bakesSince !== null;
    const bakedMs = isBaking ? watch.bakedMs! + this.at - watch.bakesSince! : watch.bakedMs;
    switch (fact.type) {
      case 'wave_skipped':
        return this.#extend(watch.plan!.waves[fact.wave.wave - 1]!.nodes);
      case 'offered':
        if (fact.wave !== null && fact.wave.wave - 1 !== watch.wave) this.#begin(fact.wave.wave - 1);
        else if (fact.wave === null && fact.version === watch.version) this.#begin(0);
        return;
      case 'live':
        if (!fact.isNew) return;
        this.#assertBaked();
        this.#watch = fresh;
        return;
      case 'superseded':
      case 'rolled_back':
        if (fact.version === watch.version) this.#watch = fresh;
        return;
      case 'baking':
        // After what it waited for, it bakes on.
        this.#watch =
          fact.ms === 0
            ? { ...watch, bakesSince: watch.bakesSince ?? this.at }
            : { ...watch, bakedMs: 0, bakesSince: this.at };
        return;
      case 'paused':
        this.#watch = { ...watch, bakedMs, bakesSince: null };
        return;
      case 'resumed':
        this.#watch = { ...watch, bakesSince: watch.bakedMs === null ? null : this.at };
        return;
      case 'promoted':
        this.#watch = { ...watch, isPromoted: true, isHurried: watch.isHurried || fact.all };
        return;
      default:
        return;
    }
  }

  #begin(wave: number): void {
    this.#assertBaked();
    const { plan, version, reached, isHurried } = this.#watch;
    this.#watch = { ...fresh, verdicts: new Map(), plan, version, reached, isHurried, isPromoted: isHurried, wave };
    this.#extend(plan!.waves[wave]!.nodes);
  }

  /** The wave that ends has baked, and its checks pass. */
  #assertBaked(): void {
    const { plan, wave, bakedMs, bakesSince, verdicts, isPromoted } = this.#watch;
    const { bakeMs = 0 } = plan?.waves[wave] ?? {};
    if (bakeMs === 0 || isPromoted) return;
    const baked = (bakedMs ?? 0) + (bakesSince === null ? 0 : this.at - bakesSince);
    assert.ok(bakedMs !== null && baked >= bakeMs, `it baked ${baked} ms, not ${bakeMs}`);
    for (const name of new Set([...(this.settings.checks ?? []), ...verdicts.keys()]))
      assert.equal(verdicts.get(name), 'pass', `check ${name} passes`);
  }

  /** Each candidate that ends has one outcome, and no other has. */
  #assertOutcome(before: Candidate | null, facts: readonly RolloutFact[]): void {
    const isBack = facts.some(({ type }) => type === 'rolled_back');
    const outcomes = facts.flatMap((fact) => {
      // Live with too few answers, those that joined late included, it may be rolled back at once.
      if (fact.type === 'live' && !fact.proven && isBack) return [];
      if (fact.type === 'live') return fact.isNew ? [fact.version] : [];
      return fact.type === 'rolled_back' || fact.type === 'superseded' ? [fact.version] : [];
    });
    const after = this.state.candidate;
    const started = after?.version === before?.version ? [] : [after?.version];
    const ended = outcomes.filter((version) => version === before?.version).length;
    if (before !== null) assert.equal(ended, before.version === after?.version ? 0 : 1);
    assert.equal(new Set(outcomes).size, outcomes.length, 'one each');
    for (const version of started) assert.ok(version === undefined || !outcomes.includes(version));
  }

  #watchNew(event: RolloutEvent, version: Version): void {
    if ((event.type !== 'release' && event.type !== 'retry') || event.version !== version) return;
    if (this.state.candidate?.version !== version || this.#watch.version === version) return;
    this.#watch = { ...fresh, verdicts: new Map(), version, plan: this.state.live === null ? allAtOnce : event.plan! };
  }

  /** What a pause, a freeze, a bake and a check stop. */
  #assertStops(before: Candidate | null, { event, frozen }: { event: RolloutEvent; frozen: boolean }): void {
    const after = this.state.candidate;
    const isSame = before !== null && after?.version === before.version;
    const isLive = before !== null && this.state.live?.version === before.version && after === null;
    if (isSame && JSON.stringify(after.reach) === JSON.stringify(before.reach) && after.offered === before.offered)
      return;
    if (before === null || (!isSame && !isLive)) return;
    if (before.paused !== null) assert.equal(event.type, 'resume', 'a paused one does not go on');
    if (isSame) assert.ok(!frozen, 'nor a frozen one');
    if (before.phase.type === 'waiting' && before.phase.reason === 'promotion')
      assert.ok(event.type === 'promote', 'nor one that needs an operator');
  }

  #assertTargets(facts: readonly RolloutFact[]): void {
    const { candidate, live } = this.state;
    const memory = JSON.parse(JSON.stringify(toRolloutMemory(this.state))) as RolloutMemory;
    const restarted = createRollout(this.settings, memory, this.at);
    for (const node of nodes) {
      const target = targetOf(this.state, node);
      const isReached = candidate !== null && this.#isReached(node);
      const expected = (isReached ? candidate.offered : null) ?? live?.version ?? null;
      assert.equal(target, expected, `${node.id} has ${target}`);
      assert.equal(targetOf(restarted, node), target, 'the same after a restart');
    }
    if (facts.some(({ type }) => type === 'rolled_back') && candidate === null)
      for (const node of nodes) assert.equal(targetOf(this.state, node), live?.version ?? null, 'all go back at once');
    if (candidate?.offered == null) return;
    const content = JSON.stringify(candidate.stage && [live?.version, candidate.version, candidate.stage]);
    assert.equal(this.#contents.get(candidate.offered) ?? content, content, `${candidate.offered} has one content`);
    this.#contents.set(candidate.offered, content);
  }

  #assertPins(facts: readonly RolloutFact[], before: ReadonlySet<Version>): void {
    const aim = aimOf(this.state);
    assert.ok(aim === null || !this.state.pins.has(aim), 'what is pinned is not the target');
    if (aim !== null && before.has(aim)) assert.ok(facts.some(({ type }) => type === 'unpinned'));
  }

  /** Ticks at the deadlines make progress, and none is missing. */
  #assertDeadline(): void {
    const { candidate, freeze, settings } = this.state;
    const due = this.#due() ?? Infinity;
    if (freeze?.until != null) assert.ok(due <= Math.max(this.at, freeze.until));
    if (candidate !== null && candidate.paused === null) {
      const { phase } = candidate;
      if (phase.type === 'pushing') assert.ok(due <= phase.deadline);
      if (phase.type === 'baking' && phase.until > this.at) assert.ok(due <= phase.until);
      if (phase.type === 'waiting' && phase.until !== null) assert.ok(due <= Math.max(phase.until, this.at));
    }
    const copy: RolloutState = { ...structuredClone({ ...this.state, settings: null }), settings };
    let last = this.at;
    for (let ticks = 0; ticks < 40; ticks += 1) {
      const next = nextDeadline(copy, last);
      if (next === null) return;
      assert.ok(ticks === 0 || next > last, `a tick at ${last} moves its deadline ${next}`);
      last = Math.max(last, next);
      step(copy, { type: 'tick', at: last });
    }
    assert.fail('ticks never end');
  }
}

type CommandOf =
  | { readonly type: 'pause' | 'resume' | 'abort' | 'unfreeze' }
  | { readonly type: 'promote'; readonly all: boolean }
  | { readonly type: 'freeze'; readonly until: number | null };

export function toVersion(number: number): Version {
  return versionOf(`v${number}`);
}
