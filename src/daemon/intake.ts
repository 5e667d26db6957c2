import { setImmediate as turn } from 'node:timers/promises';
import type { Diagnostic } from '../config/diagnostic.ts';
import type { Revision } from '../git/read/revision.ts';
import type { Version } from '../ids.ts';
import { findExcesses, isUnlimited, excessWords, type PlanLimits } from '../plan/limits.ts';
import { survey } from '../plan/survey.ts';
import { choosePlan } from '../rollout/choose-plan.ts';
import type { Plan, RolloutPolicy } from '../rollout/plan.ts';
import { movedShare } from '../shard/moved.ts';
import { findShrink } from '../release/guard.ts';
import type { Release } from '../release/release.ts';
import type { Standing, Verdict } from '../revisions/types.ts';
import type { RepositorySettings } from '../settings/settings.ts';
import type { Evaluated } from './evaluate.ts';
import type { Compiled } from './releases.ts';

/** A verdict, with what was read to reach it. */
export interface Judged {
  readonly verdict: Verdict;
  readonly source: Uint8Array | null;
  /** The release of a valid revision. */
  readonly compiled: Compiled | null;
}

export interface IntakeOptions {
  readonly guard: RepositorySettings['guard'];
  readonly limits: PlanLimits;
  readonly policy: RolloutPolicy;
  /** Turns the content into a release. Rejects with GitError. */
  readonly evaluate: (revision: Revision) => Promise<Evaluated>;
  /** Null if it is signed as `repository.verify` requires. Rejects with GitError. */
  readonly verify: (version: Version, standing: Standing) => Promise<Diagnostic | null>;
  /** The release that the guard and the rules compare with, or null. */
  readonly live: () => Release | null;
}

/** Judges revisions, one at a time: signature, content, shrink guard, limits, strategy. */
export class Intake {
  readonly #options: IntakeOptions;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Rejects with GitError when it can't be judged now. */
  async judge(revision: Revision, standing: Standing): Promise<Judged> {
    const { evaluate, verify } = this.#options;
    const fault = await verify(revision.version, standing);
    if (fault) return { verdict: { valid: false, diagnostics: [fault] }, source: null, compiled: null };
    const { source, ...evaluated } = await evaluate(revision);
    if (evaluated.release === null)
      return { verdict: { valid: false, diagnostics: evaluated.diagnostics }, source, compiled: null };
    const { isOvertaken } = standing;
    const shrink = isOvertaken ? null : await this.#findShrink(revision, evaluated.release);
    const digest = isOvertaken ? null : evaluated.digest;
    return {
      verdict: { valid: true, shrink, digest, plan: this.#choosePlan(revision, evaluated.release, standing) },
      source,
      compiled: evaluated,
    };
  }

  /** How it is to be rolled out. One that is overtaken won't be, so that it need not be compared. */
  #choosePlan({ rollout: trailer }: Revision, release: Release, { isOvertaken }: Standing): Plan {
    const { policy, live } = this.#options;
    const before = isOvertaken || policy.rules.length === 0 ? null : live();
    const moved = before && movedShare(before.config, release.config);
    const { plan, reason } = choosePlan({ policy, moved, trailer });
    return { ...plan, reason };
  }

  /** What the guard or a limit says against it. A trailer in the commit message accepts it in advance. */
  async #findShrink({ trailers }: Revision, release: Release): Promise<string | null> {
    const { live, guard, limits } = this.#options;
    const before = live();
    if (before === null || trailers.get('shardplane-accept')?.toLowerCase() === 'yes') return null;
    const shrink = findShrink(before.config, release.config, guard);
    if (shrink !== null || isUnlimited(limits)) return shrink;
    const excesses = findExcesses(await finish(survey(before.config, release.config, closeness)), limits);
    return excesses.length === 0 ? null : excessWords(excesses);
  }
}

/** A few seconds of computing for the largest configs. */
const closeness = { maxScores: 4e8, maxPairs: 0 };
/** After which the event loop gets a turn. */
const sliceMs = 10;

/** Takes all steps, and lets others have their turn between them. */
async function finish<T>(steps: Generator<unknown, T>): Promise<T> {
  for (let sliceEnd = performance.now() + sliceMs; ;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() < sliceEnd) continue;
    await turn();
    sliceEnd = performance.now() + sliceMs;
  }
}
