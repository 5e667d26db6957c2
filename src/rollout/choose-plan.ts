import { exactPercent } from '../config/words.ts';
import type { Plan, RolloutPolicy } from './plan.ts';

/** What a commit's plan depends on. */
export interface PlanRequest {
  readonly policy: RolloutPolicy;
  /** The share of the customers (0 to 1) that would change hosts; null where nothing is live to compare with. */
  readonly moved: number | null;
  /** What the commit asks for by its trailer `Shardplane-Rollout`, or null. */
  readonly trailer: string | null;
}

/** A plan, and in words why it is that one. */
export interface ChosenPlan {
  readonly plan: Plan;
  readonly reason: string;
}

/**
 * The plan of a commit: what the first rule that matches demands, else the default. The commit's trailer may pick any that is not
 * less careful. Throws Error when the policy names a strategy that it lacks, which the settings don't allow.
 */
export function choosePlan({ policy, moved, trailer }: PlanRequest): ChosenPlan {
  const demanded = demand(policy, moved);
  if (trailer === null) return demanded;
  const asked = policy.strategies.get(trailer);
  const instead = `${demanded.plan.strategy} is used (${demanded.reason})`;
  if (asked === undefined)
    return { ...demanded, reason: `the commit asks for "${trailer}", and there is no such strategy: ${instead}` };
  if (isLessCareful(asked, demanded.plan))
    return { ...demanded, reason: `the commit asks for ${trailer}, which is less careful: ${instead}` };
  return { plan: asked, reason: 'the commit asks for it' };
}

function demand({ strategies, strategy, rules }: RolloutPolicy, moved: number | null): ChosenPlan {
  const rule = moved === null ? undefined : rules.find((each) => moved > each.moved);
  const name = rule?.strategy ?? strategy;
  const plan = strategies.get(name);
  if (plan === undefined) throw new Error(`the rollout policy has no strategy ${name}`);
  if (rule === undefined || moved === null) return { plan, reason: 'the default' };
  return {
    plan,
    reason: `${exactPercent(moved)} of the customers change hosts, more than ${exactPercent(rule.moved)}`,
  };
}

/**
 * Whether a plan is less careful than another: everyone may have the release sooner (never sooner than that: the bakes before the last
 * wave; a wave that waits for a human is never); or as soon, in fewer waves; or in as many, with less baking in all.
 */
export function isLessCareful(plan: Plan, than: Plan): boolean {
  const [a, b] = [careOf(plan), careOf(than)];
  const at = a.findIndex((value, i) => value !== b[i]);
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0);
}

function careOf({ waves }: Plan): readonly number[] {
  const baked = (some: Plan['waves']): number => some.reduce((sum, { bakeMs }) => sum + bakeMs, 0);
  const soonest = waves.some(({ isManual }) => isManual) ? Infinity : baked(waves.slice(0, -1));
  return [soonest, waves.length, baked(waves)];
}
