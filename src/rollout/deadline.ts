import type { Candidate } from './candidate.ts';
import { isGathering, type RolloutState } from './state.ts';
import { silenceDeadline } from './verdicts.ts';

/** When `tick` is due after `at` (milliseconds since the epoch), or null when nothing is awaited. */
export function nextDeadline(state: RolloutState, at: number): number | null {
  const [first = Infinity] = state.waiting.values();
  const gathered = isGathering(state) ? (state.gathering.until ?? Infinity) : Infinity;
  const candidate = state.candidate === null ? Infinity : deadlineOf(state.candidate, at);
  const due = Math.min(first, gathered, candidate, silenceDeadline(state), state.freeze?.until ?? Infinity);
  return due === Infinity ? null : due;
}

/** A bake that is over waits for its checks alone. */
function deadlineOf({ phase, paused }: Candidate, at: number): number {
  if (paused !== null) return Infinity;
  if (phase.type === 'pushing') return phase.deadline;
  const until = phase.until ?? Infinity;
  return phase.type === 'baking' && until <= at ? Infinity : until;
}
