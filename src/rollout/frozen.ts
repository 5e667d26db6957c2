import { because } from '../config/words.ts';
import { isAtOnce } from './candidate.ts';
import type { RolloutState } from './state.ts';
import type { Frozen } from './types.ts';

/** Why no wave may begin: an operator's freeze, or a window. */
export function frozenAt({ freeze, thawedUntil, settings }: RolloutState, at: number): Frozen | null {
  if (freeze !== null && (freeze.until === null || at < freeze.until))
    return { until: freeze.until, reason: `by ${freeze.by}${because(freeze.why)}` };
  return thawedUntil !== null && at < thawedUntil ? null : (settings.frozenAt?.(at) ?? null);
}

/** Why the candidate's next wave may not begin: not for a freeze despite which an operator has accepted it. */
export function freezeOf(state: RolloutState, at: number): Frozen | null {
  const { candidate } = state;
  if (candidate === null || isAtOnce(candidate)) return null;
  const { freed = null } = candidate;
  return freed !== null && (freed.until === null || at < freed.until) ? null : frozenAt(state, at);
}
