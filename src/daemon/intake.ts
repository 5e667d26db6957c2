import type { Diagnostic } from '../config/diagnostic.ts';
import type { Revision } from '../git/read/revision.ts';
import type { Version } from '../ids.ts';
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
  readonly policy: RolloutPolicy;
  /** Turns the content into a release. Rejects with GitError. */
  readonly evaluate: (revision: Revision) => Promise<Evaluated>;
  /** Null if it is signed as `repository.verify` requires. Rejects with GitError. */
  readonly verify: (version: Version, standing: Standing) => Promise<Diagnostic | null>;
  /** The release that the guard and the rules compare with, or null. */
  readonly live: () => Release | null;
}

/** Judges revisions, one at a time: signature, content, shrink guard, strategy. */
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
    const shrink = isOvertaken ? null : this.#findShrink(revision, evaluated.release);
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

  /** A trailer in the commit message accepts the shrinking in advance. */
  #findShrink({ trailers }: Revision, release: Release): string | null {
    const { live, guard } = this.#options;
    const before = live();
    if (before === null || trailers.get('shardplane-accept')?.toLowerCase() === 'yes') return null;
    return findShrink(before.config, release.config, guard);
  }
}
