import assert from 'node:assert/strict';
import type { SessionId, Version } from '../../src/ids.ts';
import { applyPolicy, classify } from '../../src/revisions/movement.ts';
import type { OnRewrite, Relation } from '../../src/revisions/movement.ts';
import { countWaiting } from '../../src/revisions/state.ts';
import type { RevisionEffect, Verdict } from '../../src/revisions/types.ts';
import { isAtOnce } from '../../src/rollout/candidate.ts';
import { aimOf, targetOf } from '../../src/rollout/targets.ts';
import type { Frozen } from '../../src/rollout/plan.ts';
import type { FinalOutcome, Outcome } from '../../src/rollout/types.ts';
import type { Fact } from '../../src/state/facts.ts';
import type { Memory } from '../../src/state/memory.ts';
import { createState, toMemory } from '../../src/state/state.ts';
import { nextTick, step } from '../../src/state/step.ts';
import type { Effect, Event } from '../../src/state/step.ts';
import { labelsOf, sessionOf, versionOf } from '../helpers/ids.ts';

interface Commit {
  readonly name: Version;
  readonly parent: Commit | null;
  readonly verdict: Verdict;
}

/** The fleet's nodes. */
const ids = ['n', 'm', 'o'];
const windows = [
  [300_000, 600_000],
  [2_000_000, 2_500_000],
] as const;

/** A minimal model of a repository, a source, a ledger and three Envoys around the two machines. Each commit changes the file. */
export class Model {
  readonly #onRewrite: OnRewrite;
  readonly #commits: Commit[] = [];
  /** The ledger's rows: the outcome of each revision, and the final one that a held one had before. */
  readonly #outcomes = new Map<Version, Outcome | null>();
  readonly #before = new Map<Version, FinalOutcome>();
  /** Versions offered since their last outcome. */
  readonly #offered = new Set<Version>();
  #ref: Commit | null = null;
  /** The source's state: the tip taken last, and the ref's last position. */
  #base: Commit | null = null;
  #seen: Commit | null | undefined = undefined;
  #work: Extract<RevisionEffect, { type: 'judge' | 'list' }>[] = [];
  #at = 0;
  #streams = 0;
  #state = this.#create(null);
  #written = this.#write();

  constructor(onRewrite: OnRewrite) {
    this.#onRewrite = onRewrite;
  }

  /** `like`: it has the content of the commit with that number. */
  commit(verdict: Verdict, like?: number): void {
    const name = versionOf(`c${this.#commits.length}`);
    const digest = like === undefined ? name : (this.#commits[like]?.name ?? name);
    this.#ref = { name, parent: this.#ref, verdict: verdict.valid ? { ...verdict, digest } : verdict };
    this.#commits.push(this.#ref);
  }

  /** Moves the ref back by that many commits. */
  reset(before: number): void {
    this.#ref = this.#commits.at(-1 - before) ?? this.#ref;
  }

  resetToLive(): void {
    this.#ref = this.#find(this.#live) ?? this.#ref;
  }

  deleteRef(): void {
    this.#ref = null;
  }

  look(): void {
    const [tip, base] = [this.#ref, this.#base];
    if (this.#seen === tip) return;
    const relation = relate(base, tip);
    const movement = classify({
      base: base?.name ?? null,
      wasAbsent: this.#seen === null,
      tip: tip?.name ?? null,
      relation,
    });
    const decision = applyPolicy(movement, this.#onRewrite);
    const old = new Set(lineage(base));
    const news = lineage(tip).filter((commit) => !old.has(commit));
    this.#seen = tip;
    if (decision === 'take') this.#base = tip;
    this.#apply({
      type: 'moved',
      ...{ movement, decision, previous: base?.name ?? null, tip: tip?.name ?? null },
      revisions: (base === null ? news.slice(0, 1) : news).toReversed().map(summarize),
      newest: tip && summarize(tip),
      outcomes: this.#known(),
    });
  }

  /** Carries out the next effect, if there is one. */
  work(): boolean {
    const effect = this.#work.shift();
    if (effect === undefined) return false;
    if (effect.type === 'judge')
      this.#apply({ type: 'judged', version: effect.version, verdict: this.#judge(effect.version) });
    else {
      const { tip, skip, limit } = effect;
      const revisions = lineage(this.#find(tip))
        .slice(skip, skip + limit)
        .map(summarize);
      this.#apply({ type: 'listed', tip, skip, revisions });
    }
    return true;
  }

  /** git fails. */
  fail(): void {
    const effect = this.#work.shift();
    if (effect?.type === 'judge') this.#apply({ type: 'unjudged', version: effect.version });
    if (effect?.type === 'list') this.#apply({ type: 'unlisted' });
  }

  join(id: string): void {
    if (this.#sessionOf(id) !== undefined) return;
    const session = sessionOf(`${id}/${(this.#streams += 1)}`);
    this.#apply({ type: 'joined', at: this.#at, session, node: labelsOf(id) });
  }

  leave(id: string): void {
    const session = this.#sessionOf(id);
    if (session !== undefined) this.#apply({ type: 'left', at: this.#at, session });
  }

  /** An Envoy answers the last push. */
  answer(id: string, ok: boolean): void {
    const session = this.#sessionOf(id);
    const node = session === undefined ? undefined : this.#state.rollout.nodes.get(session);
    if (session === undefined || node?.sent == null) return;
    const who = { at: this.#at, session, version: node.sent };
    this.#apply(ok ? { type: 'acked', ...who } : { type: 'nacked', ...who, code: 13, message: 'no' });
  }

  answerAll(): void {
    for (const id of ids) this.answer(id, true);
  }

  #sessionOf(id: string): SessionId | undefined {
    return [...this.#state.rollout.nodes].find(([, node]) => node.id === id)?.[0];
  }

  /** Ticks when one is due. */
  wait(seconds: number): void {
    const end = this.#at + seconds * 1000;
    for (let ticks = 0; ; ticks += 1) {
      const due = nextTick(this.#state, this.#at);
      if (due === null || due > end) break;
      assert.ok(ticks < 200, `ticks make progress (${due} after ${this.#at})`);
      this.#at = Math.max(this.#at, due);
      this.#apply({ type: 'tick', at: this.#at });
    }
    this.#at = end;
    this.#apply({ type: 'tick', at: end });
  }

  operate(
    command: 'pause' | 'resume' | 'abort' | 'unfreeze' | 'promote' | 'promote all' | 'freeze' | 'freeze for a while',
  ): void {
    const told = { at: this.#at, by: 'ops', why: '' };
    if (command === 'promote' || command === 'promote all')
      return this.#apply({ type: 'promote', all: command === 'promote all', ...told });
    if (command === 'freeze') return this.#apply({ type: 'freeze', until: null, ...told });
    if (command === 'freeze for a while') return this.#apply({ type: 'freeze', until: this.#at + 100_000, ...told });
    this.#apply({ type: command, ...told });
  }

  command(type: 'accept' | 'retry'): void {
    const { head } = this.#state.revisions;
    if (head === null) return;
    const told = { version: head.version, by: 'ops' };
    this.#apply(type === 'accept' ? { type, ...told } : { type, ...told });
  }

  /** Keeps only the memory and the ledger's rows. */
  restart(): void {
    this.#resume(toMemory(this.#state));
  }

  /** With other settings a candidate is gone on with no more. */
  restartOtherwise(): void {
    const { revisions, rollout } = toMemory(this.#state);
    this.#resume({ revisions, rollout: { ...rollout, candidate: null } });
  }

  /** Killed before the last event was written: pushed, and not remembered. */
  crash(): void {
    const { memory, outcomes, before, offered } = this.#written;
    for (const [now, then] of [
      [this.#outcomes, outcomes],
      [this.#before, before],
    ] as const) {
      now.clear();
      for (const [version, outcome] of then) (now as Map<string, Outcome | null>).set(version, outcome);
    }
    this.#offered.clear();
    for (const version of offered) this.#offered.add(version);
    this.#resume(memory);
  }

  #resume(remembered: Memory): void {
    const memory = JSON.parse(JSON.stringify(remembered)) as Memory;
    this.#work = [];
    this.#seen = undefined;
    this.#base = this.#find(memory.revisions.taken);
    this.#state = this.#create(memory);
    assert.deepEqual(withoutTimes(toMemory(this.#state)), withoutTimes(memory));
    this.look();
  }

  /** Runs until nothing is left to do, and checks that everything agrees. */
  finish(): void {
    this.look();
    this.operate('unfreeze');
    for (let rounds = 0; this.work() || this.#candidate !== null; rounds += 1) {
      assert.ok(rounds < 10_000, `it comes to an end: ${JSON.stringify(this.#state.rollout.candidate)}`);
      if (this.#work.length === 0) this.#goOn();
    }
    const { revisions } = this.#state;
    const { head, hold, open } = revisions;
    assert.equal(countWaiting(revisions), 0);
    assert.equal(head?.version ?? null, this.#ref?.name ?? null, 'the head is where the ref is');
    if (head === null) return;
    assert.notEqual(hold?.cause, 'freeze', 'what a freeze held goes by itself');
    assert.notEqual(head.outcome, null);
    assert.equal(head.outcome === 'live', head.version === this.#live, 'live is what the fleet runs');
    assert.equal(head.outcome === 'held', hold !== null);
    if (head.outcome === 'held') assert.equal(hold?.version, head.version);
    if (head.outcome === 'rolled_back') assert.ok(this.#state.rollout.pins.has(head.version));
    assert.equal(this.#outcomes.get(head.version), head.outcome, 'the ledger says the same of the head');
    for (const [version, outcome] of this.#outcomes)
      if (version !== head.version) assert.ok(outcome !== null && outcome !== 'held', `${version} has a final outcome`);
    assert.deepEqual([...open.keys()], head.outcome === 'held' ? [head.version] : []);
    assert.equal(toMemory(this.#state).revisions.taken, revisions.taken);
  }

  /** Whom a rollout waits for does what is needed. */
  #goOn(): void {
    const { candidate } = this.#state.rollout;
    if (candidate === null) return;
    const { paused, phase } = candidate;
    if (paused !== null) return this.operate('resume');
    if (phase.type === 'waiting' && phase.reason === 'promotion') return this.operate('promote');
    if (phase.type === 'waiting' && phase.reason === 'freeze') this.operate('unfreeze');
    if (!isAtOnce(candidate)) for (const id of ids) this.join(id);
    if (!isAtOnce(candidate)) this.answerAll();
    this.wait(31);
  }

  get #live(): Version | null {
    return this.#state.rollout.live?.version ?? null;
  }

  get #candidate(): Version | null {
    return this.#state.rollout.candidate?.version ?? null;
  }

  #write() {
    return {
      memory: toMemory(this.#state),
      outcomes: new Map(this.#outcomes),
      before: new Map(this.#before),
      offered: new Set(this.#offered),
    };
  }

  #create(memory: Memory | null) {
    const open = [...this.#outcomes]
      .filter(([, outcome]) => outcome === null || outcome === 'held')
      .map(([version]) => ({ version, before: this.#before.get(version) ?? null }));
    return createState({
      revisions: { ref: 'main', file: 'f', isVerified: false },
      rollout: { ackTimeoutMs: 30_000, quorum: 0.5, voteAfterMs: 0, frozenAt: windowAt },
      ...{ memory, open, now: this.#at },
    });
  }

  #known(): Map<Version, FinalOutcome> {
    return new Map(
      [...this.#outcomes].flatMap(([version, outcome]) => {
        const known = outcome === 'held' ? (this.#before.get(version) ?? null) : outcome;
        return known === null ? [] : [[version, known] as const];
      }),
    );
  }

  #find(name: string | null): Commit | null {
    return this.#commits.find((commit) => commit.name === name) ?? null;
  }

  /** With nothing live there is nothing to compare with. */
  #judge(version: Version): Verdict {
    const verdict = this.#find(version)?.verdict;
    assert.ok(verdict);
    return verdict.valid && this.#live === null ? { ...verdict, shrink: null } : verdict;
  }

  #apply(event: Event): void {
    this.#written = this.#write();
    const { facts, effects } = step(this.#state, event, this.#at);
    for (const fact of facts) this.#record(fact);
    for (const effect of effects) this.#carryOut(effect);
    assert.ok(this.#work.length <= 2, 'one judgement at a time');
    const { rollout } = this.#state;
    const target = aimOf(rollout);
    assert.ok(target === null || !rollout.pins.has(target), 'what was refused is not offered');
    this.#send();
  }

  #carryOut(effect: Effect): void {
    if (effect.type === 'accept_tip') this.#base = this.#find(effect.tip);
    else if (effect.type === 'judge' || effect.type === 'list') this.#work.push(effect);
  }

  /** Each Envoy gets its target. */
  #send(): void {
    const { rollout } = this.#state;
    for (const [session, node] of rollout.nodes) {
      const version = targetOf(rollout, node.labels);
      if (version !== null && node.sent !== version)
        step(this.#state, { type: 'sent', at: this.#at, session, version }, this.#at);
    }
  }

  #record(fact: Fact): void {
    switch (fact.type) {
      case 'seen':
        if (!this.#outcomes.has(fact.revision.version)) this.#outcomes.set(fact.revision.version, null);
        return;
      case 'superseded':
        assert.notEqual(fact.version, this.#live, 'what is live is not superseded');
        if (!this.#offered.has(fact.version)) assert.equal(this.#final(fact.version), null, 'an outcome is kept');
        return this.#conclude(fact.version, 'superseded');
      case 'offered':
      case 'wave_waits':
        return void this.#offered.add(fact.version);
      case 'closed':
        assert.equal(fact.isNew, this.#final(fact.version) === null);
        return this.#conclude(fact.version, fact.outcome);
      case 'live':
        return this.#conclude(fact.version, 'live');
      case 'rolled_back':
      case 'still_pinned':
        return this.#conclude(fact.version, 'rolled_back');
      case 'held':
      case 'invalid':
        return this.#conclude(fact.version, fact.type);
      default:
        return;
    }
  }

  /** Its final outcome, or the one that it had before it was held. */
  #final(version: Version): FinalOutcome | null {
    const outcome = this.#outcomes.get(version) ?? null;
    return outcome === 'held' ? (this.#before.get(version) ?? null) : outcome;
  }

  #conclude(version: Version, outcome: Outcome): void {
    assert.ok(this.#outcomes.has(version), `${version} was seen`);
    this.#offered.delete(version);
    if (outcome !== 'held') this.#before.set(version, outcome);
    this.#outcomes.set(version, outcome);
  }
}

/** A candidate gets its full time again with each restart. */
function withoutTimes({ revisions, rollout }: Memory): object {
  const { candidate } = rollout;
  return {
    revisions,
    rollout: {
      ...rollout,
      stages: 0,
      candidate: candidate && { ...candidate, nodesUntil: null, phase: candidate.phase.type },
    },
  };
}

function windowAt(at: number): Frozen | null {
  const open = windows.find(([from, to]) => at >= from && at < to);
  return open === undefined ? null : { until: open[1], reason: 'window' };
}

function summarize({ name }: Commit) {
  return { version: name, subject: '', author: '', committedAt: '' };
}

/** The commit and its ancestors, newest first. */
function lineage(commit: Commit | null): Commit[] {
  const line = [];
  for (let at = commit; at !== null; at = at.parent) line.push(at);
  return line;
}

function relate(base: Commit | null, tip: Commit | null): Relation | null {
  if (base === null || tip === null) return null;
  if (base === tip) return 'same';
  if (lineage(tip).includes(base)) return 'descendant';
  return lineage(base).includes(tip) ? 'ancestor' : 'unrelated';
}
