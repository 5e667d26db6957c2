import type { ShardConfig } from '../../src/config/config.ts';
import { noLimits } from '../../src/plan/limits.ts';
import { planSteps, type PlanOptions } from '../../src/plan/plan-change.ts';
import type { ChangePlan } from '../../src/plan/plan.ts';
import type { RolloutPolicy } from '../../src/rollout/plan.ts';
import { builtinStrategies } from '../../src/rollout/strategies.ts';
import { makeConfig } from '../helpers/config.ts';

export const policy: RolloutPolicy = {
  strategies: new Map(builtinStrategies.map((plan) => [plan.strategy, plan])),
  strategy: 'all-at-once',
  rules: [],
  checks: { errors: null, prometheus: [] },
  freeze: [],
};

export function plan(before: ShardConfig, after: ShardConfig, options: Partial<PlanOptions> = {}): ChangePlan {
  return finish(planSteps(before, after, { policy, limits: noLimits, ...options }));
}

/** Takes all steps. */
export function finish<T>(steps: Generator<unknown, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

export const hosts = (count: number): string[] => Array.from({ length: count }, (_, i) => `10.0.0.${i + 1}:80`);

/** A config that lists its hosts. */
export const listed = (all: readonly string[], changes: Partial<ShardConfig> = {}): ShardConfig =>
  makeConfig({ totalHosts: all.length, hosts: all, ...changes });

export const customers = (count: number, size = 2): ReadonlyMap<string, number> =>
  new Map(Array.from({ length: count }, (_, i) => [`customer-${i}`, size]));
