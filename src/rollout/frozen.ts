import { because } from '../config/words.ts';
import { isAtOnce } from './candidate.ts';
import type { Frozen } from './plan.ts';
import type { RolloutState } from './state.ts';

/** Why no wave may begin: an operator's freeze, or a window. */
export function frozenAt({ freeze, thawedUntil, settings }: RolloutState, at: number): Frozen | null {
  if (lasts(freeze, at)) return { until: freeze.until, reason: `by ${freeze.by}${because(freeze.why)}` };
  return thawedUntil !== null && at < thawedUntil ? null : (settings.frozenAt?.(at) ?? null);
}

/** Why the candidate's next wave may not begin: not for a freeze despite which an operator has accepted it. */
export function freezeOf(state: RolloutState, at: number): Frozen | null {
  const { candidate } = state;
  if (candidate === null || isAtOnce(candidate)) return null;
  return lasts(candidate.freed, at) ? null : frozenAt(state, at);
}

/** It has begun, and is not over. `until`: milliseconds since the epoch; null: open. */
export function lasts<T extends { readonly until: number | null }>(span: T | null, at: number): span is T {
  return span !== null && (span.until === null || at < span.until);
}
