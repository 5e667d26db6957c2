import assert from 'node:assert/strict';
import type { Version } from '../../src/ids.ts';
import { applyPolicy, classify } from '../../src/revisions/movement.ts';
import type { OnRewrite, Relation } from '../../src/revisions/movement.ts';
import { countWaiting } from '../../src/revisions/state.ts';
import type { RevisionEffect, Verdict } from '../../src/revisions/types.ts';
import { aimOf } from '../../src/rollout/state.ts';
import type { FinalOutcome, Outcome } from '../../src/rollout/types.ts';
import type { Fact } from '../../src/state/facts.ts';
import type { Memory } from '../../src/state/memory.ts';
import { createState, toMemory } from '../../src/state/state.ts';
import { step } from '../../src/state/step.ts';
import type { Effect, Event } from '../../src/state/step.ts';
import { labelsOf, sessionOf, versionOf } from '../helpers/ids.ts';

interface Commit {
  readonly name: Version;
  readonly parent: Commit | null;
  readonly verdict: Verdict;
}

const session = sessionOf('s');

/** A minimal model of a repository, a source, a ledger and one Envoy around the two machines. Each commit changes the file. */
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
  #isConnected = false;
  #state = this.#create(null);
  #written = this.#write();

  constructor(onRewrite: OnRewrite) {
    this.#onRewrite = onRewrite;
  }

  commit(verdict: Verdict): void {
    const name = versionOf(`c${this.#commits.length}`);
    this.#ref = { name, parent: this.#ref, verdict: verdict.valid ? { ...verdict, digest: name } : verdict };
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

  join(): void {
    if (this.#isConnected) return;
    this.#isConnected = true;
    this.#apply({ type: 'joined', at: this.#at, session, node: labelsOf('n') });
    this.#send();
  }

  leave(): void {
    this.#isConnected = false;
    this.#apply({ type: 'left', at: this.#at, session });
  }

  /** The Envoy answers the last push. */
  answer(ok: boolean): void {
    const version = this.#state.rollout.nodes.get(session)?.sent;
    if (version == null) return;
    const who = { at: this.#at, session, version };
    this.#apply(ok ? { type: 'acked', ...who } : { type: 'nacked', ...who, code: 13, message: 'no' });
    if (!ok) assert.notEqual(this.#candidate, version, 'what is refused is not on its way');
  }

  wait(): void {
    this.#at += 31_000;
    this.#apply({ type: 'tick', at: this.#at });
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
    this.#isConnected = false;
    this.#seen = undefined;
    this.#base = this.#find(memory.revisions.taken);
    this.#state = this.#create(memory);
    assert.deepEqual(withoutTimes(toMemory(this.#state)), withoutTimes(memory));
    this.look();
  }

  /** Runs until nothing is left to do, and checks that everything agrees. */
  finish(): void {
    this.look();
    for (let rounds = 0; this.work() || this.#candidate !== null; rounds += 1) {
      assert.ok(rounds < 10_000, 'it comes to an end');
      if (this.#work.length === 0) this.wait();
    }
    const { revisions } = this.#state;
    const { head, hold, open } = revisions;
    assert.equal(countWaiting(revisions), 0);
    assert.equal(head?.version ?? null, this.#ref?.name ?? null, 'the head is where the ref is');
    if (head === null) return;
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
      rollout: { ackTimeoutMs: 30_000, quorum: 0.5, voteAfterMs: 0 },
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

  /** The Envoy gets the target. */
  #send(): void {
    const { rollout } = this.#state;
    const [node, version] = [rollout.nodes.get(session), aimOf(rollout)];
    if (node && version !== null && node.sent !== version)
      step(this.#state, { type: 'sent', at: this.#at, session, version }, this.#at);
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
  return { revisions, rollout: { ...rollout, candidate: candidate && { ...candidate, phase: candidate.phase.type } } };
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
