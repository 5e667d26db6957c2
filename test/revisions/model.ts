import assert from 'node:assert/strict';
import { classify, decide } from '../../src/revisions/movement.ts';
import type { OnRewrite, Relation } from '../../src/revisions/movement.ts';
import { countWaiting, createRevisions } from '../../src/revisions/state.ts';
import { step } from '../../src/revisions/step.ts';
import type { RevisionEffect, RevisionEvent, RevisionFact, Verdict } from '../../src/revisions/types.ts';
import type { Outcome, Refusal } from '../../src/rollout/types.ts';

interface Commit {
  readonly name: string;
  readonly parent: Commit | null;
  readonly verdict: Verdict;
}

/** A repository, a source, a ledger and a rollout around the machine, as simple as they can be. Each commit changes the file. */
export class Model {
  readonly #settings = { ref: 'main', file: 'f', isVerified: false };
  readonly #onRewrite: OnRewrite;
  readonly #commits: Commit[] = [];
  readonly #outcomes = new Map<string, Outcome | null>();
  readonly #pins = new Map<string, Refusal>();
  #state = createRevisions(this.#settings);
  #ref: Commit | null = null;
  /** Of the source: the tip taken last, and where it saw the ref. */
  #base: Commit | null = null;
  #seen: Commit | null | undefined = undefined;
  /** Of the ledger: the tip that was written. */
  #written: Commit | null = null;
  #live: string | null = null;
  /** What the fleet goes back to when what is live is refused. */
  #proven: string | null = null;
  readonly #wereLive = new Set<string>();
  #candidate: string | null = null;
  #effects: RevisionEffect[] = [];

  constructor(onRewrite: OnRewrite) {
    this.#onRewrite = onRewrite;
  }

  commit(verdict: Verdict): void {
    this.#ref = { name: `c${this.#commits.length}`, parent: this.#ref, verdict };
    this.#commits.push(this.#ref);
  }

  /** Puts the ref to the commit that was made so many before the last. */
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
    const decision = decide(movement, this.#onRewrite);
    const old = new Set(lineage(base));
    const news = lineage(tip).filter((commit) => !old.has(commit));
    this.#seen = tip;
    if (decision === 'take') this.#base = tip;
    this.#apply({
      type: 'moved',
      ...{ movement, decision, previous: base?.name ?? null, tip: tip?.name ?? null },
      revisions: (base === null ? news.slice(0, 1) : news).toReversed().map(summarize),
      newest: tip && summarize(tip),
    });
  }

  /** Carries out the next effect, if there is one. */
  work(): boolean {
    const effect = this.#effects.shift();
    if (effect === undefined) return false;
    if (effect.type === 'judge')
      this.#apply({ type: 'judged', version: effect.version, verdict: this.#judge(effect.version) });
    if (effect.type === 'list') {
      const { tip, skip, limit } = effect;
      const revisions = lineage(this.#find(tip))
        .slice(skip, skip + limit)
        .map(summarize);
      this.#apply({ type: 'listed', tip, skip, revisions });
    }
    return true;
  }

  /** git can't be asked now. */
  fail(): void {
    const effect = this.#effects.shift();
    if (effect?.type === 'judge') this.#apply({ type: 'unjudged', version: effect.version });
    if (effect?.type === 'list') this.#apply({ type: 'unlisted' });
  }

  answer(ok: boolean): void {
    const version = this.#candidate;
    if (version === null) return;
    this.#candidate = null;
    if (ok) this.#goLive(version);
    else this.#pins.set(version, refusal);
    this.#decide(version, ok ? 'live' : 'rolled_back');
    if (this.#target === null) this.#apply({ type: 'stranded' });
  }

  prove(): void {
    if (this.#candidate === null) this.#proven = this.#live;
  }

  /** What is live, and not proven, is refused. */
  refuseLive(): void {
    const version = this.#live;
    if (version === null || version === this.#proven || this.#candidate !== null) return;
    this.#pins.set(version, refusal);
    this.#live = this.#proven;
    this.#decide(version, 'rolled_back');
    if (this.#live !== null) this.#apply({ type: 'decided', version: this.#live, outcome: 'live', diagnostics: [] });
    else this.#apply({ type: 'stranded' });
  }

  #goLive(version: string): void {
    this.#live = version;
    this.#wereLive.add(version);
  }

  command(type: 'accept' | 'retry'): void {
    const { head } = this.#state;
    if (head) this.#apply({ type, version: head.version, by: 'ops' });
  }

  /** What is on its way is forgotten, and comes again since the tip was not written. */
  restart(): void {
    const { head, accepted } = this.#state;
    const outcome = head && (this.#outcomes.get(head.version) ?? null);
    const memory = { taken: this.#written?.name ?? null, head: head && { ...head, outcome }, accepted };
    this.#effects = [];
    this.#candidate = null;
    this.#seen = undefined;
    this.#base = this.#written;
    this.#state = createRevisions(this.#settings, memory);
    this.look();
  }

  /** Until nothing is left to do: then all must agree. */
  finish(): void {
    this.look();
    for (let rounds = 0; this.work() || this.#candidate !== null; rounds += 1) {
      assert.ok(rounds < 10_000, 'it comes to an end');
      if (this.#effects.length === 0) this.answer(true);
    }
    const { head, hold } = this.#state;
    assert.equal(countWaiting(this.#state), 0);
    assert.equal(head?.version ?? null, this.#ref?.name ?? null, 'the head is where the ref is');
    if (head === null) return;
    assert.notEqual(head.outcome, null);
    assert.equal(head.outcome === 'live', head.version === this.#live, 'live is what the fleet runs');
    assert.equal(head.outcome === 'held', hold !== null);
    if (head.outcome === 'held') assert.equal(hold?.version, head.version);
    if (head.outcome === 'rolled_back') assert.ok(this.#pins.has(head.version));
    for (const [version, outcome] of this.#outcomes)
      if (version !== head.version) assert.ok(outcome !== null && outcome !== 'held', `${version} has a final outcome`);
  }

  get #target(): string | null {
    return this.#candidate ?? this.#live;
  }

  #find(name: string | null): Commit | null {
    return this.#commits.find((commit) => commit.name === name) ?? null;
  }

  /** With nothing live there is nothing to compare with. */
  #judge(version: string): Verdict {
    const verdict = this.#find(version)?.verdict;
    assert.ok(verdict);
    const isFree = this.#live === null || this.#wereLive.has(version);
    return verdict.valid && isFree ? { valid: true, shrink: null } : verdict;
  }

  #apply(event: RevisionEvent): void {
    const rollout = {
      live: this.#live,
      target: this.#target,
      refusalOf: (version: string) => this.#pins.get(version) ?? null,
    };
    const { facts, effects } = step(this.#state, event, rollout);
    for (const fact of facts) this.#record(fact);
    for (const effect of effects) {
      if (effect.type === 'release') this.#release(effect.version, effect.how);
      else if (effect.type === 'accept_tip') this.#base = this.#find(effect.tip);
      else this.#effects.push(effect);
    }
    assert.ok(this.#effects.length <= 2, 'one judgement at a time');
    if (countWaiting(this.#state) === 0 && this.#candidate === null) this.#onIdle();
  }

  /** The tip is written; what no move brings any more is closed. */
  #onIdle(): void {
    this.#written = this.#base;
    if (this.#seen === undefined || this.#state.head === null) return;
    for (const [version, outcome] of this.#outcomes) {
      const isInUse = version === this.#state.head.version || version === this.#live;
      if (!isInUse && (outcome === null || outcome === 'held')) this.#conclude(version, 'superseded');
    }
  }

  #record(fact: RevisionFact): void {
    if (fact.type === 'seen' && !this.#outcomes.has(fact.revision.version))
      this.#outcomes.set(fact.revision.version, null);
    if (fact.type === 'invalid') this.#onInvalid(fact);
    if (fact.type === 'held') this.#conclude(fact.version, fact.type);
    if (fact.type === 'overtaken') this.#overtake(fact.version);
    // What the fleet has fallen back on was live before it was held.
    if (fact.type === 'let_go') this.#conclude(fact.version, fact.version === this.#live ? 'live' : 'superseded');
  }

  #onInvalid({ version, isHead }: { version: string; isHead: boolean }): void {
    const outcome = this.#outcomes.get(version) ?? null;
    if (isHead || outcome === null || outcome === 'held') this.#conclude(version, 'invalid');
  }

  #conclude(version: string, outcome: Outcome): void {
    assert.ok(this.#outcomes.has(version), `${version} was seen`);
    this.#outcomes.set(version, outcome);
  }

  /** What has a final outcome keeps it. */
  #overtake(version: string): void {
    const outcome = this.#outcomes.get(version) ?? null;
    assert.notEqual(version, this.#live, 'what is live is not overtaken');
    assert.notEqual(version, this.#candidate, 'nor is what is on its way');
    if (outcome === null || outcome === 'held') this.#conclude(version, 'superseded');
  }

  #release(version: string, how: 'release' | 'retry'): void {
    if (how === 'retry') this.#pins.delete(version);
    if (this.#pins.has(version)) return this.#decide(version, 'rolled_back');
    if (version === this.#target) return;
    if (this.#candidate !== null) {
      const before = this.#candidate;
      this.#candidate = null;
      this.#decide(before, 'superseded');
    }
    if (version === this.#live) return;
    this.#candidate = version;
    this.#apply({ type: 'decided', version, outcome: null, diagnostics: [] });
  }

  #decide(version: string, outcome: Outcome): void {
    this.#conclude(version, outcome);
    this.#apply({ type: 'decided', version, outcome, diagnostics: [] });
  }
}

const refusal = { node: 'n', code: 13, message: 'no' };

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
