import { namedCustomers, type Json, type ShardConfig } from '../config/config.ts';
import { choosePlan } from '../rollout/choose-plan.ts';
import type { RolloutPolicy } from '../rollout/plan.ts';
import { movedShare } from '../shard/moved.ts';
import { dealtTo } from '../shard/shard-of.ts';
import { compileRelease, toFields } from '../release/compile.ts';
import { hostChanges, type Side } from './layout.ts';
import { findExcesses, type PlanLimits } from './limits.ts';
import type { Names, ChangePlan, Survival } from './plan.ts';
import { outages, survivalOf } from './survival.ts';
import { survey, type SurveyOptions } from './survey.ts';

export interface PlanOptions extends SurveyOptions {
  readonly policy: RolloutPolicy;
  readonly limits: PlanLimits;
  /** The strategy that the commit asks for, or null. */
  readonly trailer?: string | null;
}

/** What a change from one valid config to another does, in steps of a few milliseconds: yields the part (0 to 1) that is done. */
export function* planSteps(
  before: ShardConfig,
  after: ShardConfig,
  { policy, limits, trailer = null, ...closeness }: PlanOptions,
): Generator<number, ChangePlan> {
  const surveyed = yield* survey(before, after, closeness);
  const { layout, named, unnamed, quarantined, twins, mostShared, load } = surveyed;
  const { plan, reason } = choosePlan({ policy, moved: movedShare(before, after), trailer });
  return {
    changes: isOther(before, after),
    hosts: hostChanges(layout),
    defaultShardSize: { before: before.defaultShardSize, after: after.defaultShardSize },
    customers: customerChanges(before, after),
    runtime: toNames(changedKeys(before.runtime, after.runtime)),
    ...{ named, unnamed, quarantined, twins, mostShared, load },
    survival: compareSurvival(layout.before, layout.after),
    strategy: { name: plan.strategy, reason },
    excesses: findExcesses(surveyed, limits),
  };
}

/** Whether other keys or values would be pushed. */
function isOther(before: ShardConfig, after: ShardConfig): boolean {
  const commit = { version: '', subject: '' };
  return changedKeys(toFields(compileRelease(before, commit)), toFields(compileRelease(after, commit))).length > 0;
}

function customerChanges(before: ShardConfig, after: ShardConfig): ChangePlan['customers'] {
  const [old, now] = [namedCustomers(before), namedCustomers(after)];
  const names = [...new Set([...old.keys(), ...now.keys()])];
  const sizeIn = ({ customers, defaultShardSize }: ShardConfig, id: string): number =>
    customers.get(id) ?? defaultShardSize;
  const isResized = (id: string): boolean =>
    before.customers.get(id) !== after.customers.get(id) && sizeIn(before, id) !== sizeIn(after, id);
  return {
    total: { before: old.size, after: now.size },
    added: toNames(names.filter((id) => !old.has(id))),
    removed: toNames(names.filter((id) => !now.has(id))),
    resized: toNames(names.filter((id) => old.has(id) && now.has(id) && isResized(id))),
    redealt: toNames(names.filter((id) => before.deals?.get(id) !== after.deals?.get(id))),
    unquarantined: toNames([...(before.quarantined ?? [])].filter((id) => !after.quarantined?.has(id))),
  };
}

const namesListed = 20;

function toNames(all: readonly string[]): Names {
  return { count: all.length, some: all.slice(0, namesListed) };
}

type Values = ReadonlyMap<string, Json>;

/** The keys whose values differ. */
function changedKeys(before: Values, after: Values): string[] {
  const isOther = (key: string): boolean => JSON.stringify(before.get(key)) !== JSON.stringify(after.get(key));
  return [...new Set([...before.keys(), ...after.keys()])].filter(isOther);
}

function compareSurvival(before: Side, after: Side): Survival[] {
  const [named, unnamed] = [survivalOfNamed, survivalOfUnnamed].map((of) => [of(before), of(after)] as const);
  return outages.map((outage, i) => ({
    ...outage,
    named: { before: named?.[0][i] ?? null, after: named?.[1][i] ?? null },
    unnamed: { before: unnamed?.[0][i] ?? null, after: unnamed?.[1][i] ?? null },
  }));
}

function survivalOfNamed({ view, open }: Side): (number | null)[] {
  const sizes = new Map<number, number>();
  for (const customer of namedCustomers(view.config).keys()) {
    const { shardSize: size, inQuarantine } = dealtTo(view, customer);
    if (inQuarantine) continue;
    sizes.set(size, (sizes.get(size) ?? 0) + 1);
  }
  return survivalOf({ hosts: open.size, sizes });
}

/** There is no end of them. */
function survivalOfUnnamed({ size, open }: Side): (number | null)[] {
  return survivalOf({ hosts: open.size, sizes: new Map([[size, 1]]) }, true);
}
