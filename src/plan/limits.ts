import { exactPercent } from '../config/words.ts';
import { shareMoved } from './moves.ts';
import type { Excess } from './plan.ts';
import type { Survey } from './survey.ts';

/** `plan.limits` of the settings. Null: no limit. */
export interface PlanLimits {
  /** The part of the customers (0 to 1) that may change hosts. */
  readonly moved: number | null;
  /** Named customers that may share all their hosts with another. */
  readonly twins: number | null;
  /** How many times the mean the hottest host may have. */
  readonly load: number | null;
}

export const noLimits: PlanLimits = { moved: null, twins: null, load: null };

/** Whether there is nothing to enforce. */
export function isUnlimited({ moved, twins, load }: PlanLimits): boolean {
  return moved === null && twins === null && load === null;
}

/** The part of the customers that moves: of the named or of the unnamed ones, whichever is larger. */
function partMoved({ named, unnamed }: Pick<Survey, 'named' | 'unnamed'>): number {
  return Math.max(shareMoved(named), unnamed.formula?.moved ?? shareMoved(unnamed));
}

/** The limits that a change breaks. Twins and load may be over theirs as long as the change makes them no worse. */
export function findExcesses(surveyed: Survey, limits: PlanLimits): Excess[] {
  return [
    movedExcess(surveyed, limits.moved),
    twinsExcess(surveyed, limits.twins),
    loadExcess(surveyed, limits.load),
  ].filter((excess) => excess !== null);
}

/** What is over, and which setting says so. */
export function excessWords(excesses: readonly Excess[]): string {
  return excesses.map(({ limit, message }) => `${message} (plan.limits.${limit})`).join('; ');
}

function movedExcess(surveyed: Survey, allowed: number | null): Excess | null {
  const value = partMoved(surveyed);
  if (allowed === null || value <= allowed) return null;
  const whom = shareMoved(surveyed.named) === value ? 'named customers' : 'customers';
  const message = `${exactPercent(value)} of the ${whom} change hosts, more than ${exactPercent(allowed)}`;
  return { limit: 'moved', allowed, before: null, value, message };
}

function twinsExcess({ twins }: Survey, allowed: number | null): Excess | null {
  const [before, value] = [twins.before.customers, twins.after.customers];
  if (allowed === null || value <= allowed || value <= before) return null;
  const message = `${value} named customers share all their hosts with another (before: ${before}), more than ${allowed}`;
  return { limit: 'twins', allowed, before, value, message };
}

function loadExcess({ load }: Survey, allowed: number | null): Excess | null {
  const [before, value] = [load.before.ratio, load.after.ratio];
  if (allowed === null || value <= allowed || value <= before) return null;
  const message = `the hottest host has ${decimal(value)} times the mean of customers (before: ${decimal(before)}), more than ${allowed}`;
  return { limit: 'load', allowed, before, value, message };
}

function decimal(value: number): string {
  return String(Number(value.toFixed(2)));
}
