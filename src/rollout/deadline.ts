import type { Candidate } from './candidate.ts';
import { type RolloutState } from './state.ts';
import { isGathering } from './quorum.ts';
import { silenceDeadline } from './verdicts.ts';

/** When `tick` is due after `at` (milliseconds since the epoch), or null when nothing is awaited. */
export function nextDeadline(state: RolloutState, at: number): number | null {
  const [first = Infinity] = state.waiting.values();
  const gathered = isGathering(state) ? (state.gathering.until ?? Infinity) : Infinity;
  const candidate = state.candidate === null ? Infinity : deadlineOf(state.candidate, state.settings.ackTimeoutMs, at);
  const due = Math.min(first, gathered, candidate, silenceDeadline(state), state.freeze?.until ?? Infinity);
  return due === Infinity ? null : due;
}

/** A bake that is over waits for nodes that are gone, and then for its checks alone. */
function deadlineOf({ phase, paused }: Candidate, ackTimeoutMs: number, at: number): number {
  if (paused !== null) return Infinity;
  if (phase.type === 'pushing') return phase.deadline;
  if (phase.type === 'waiting') return phase.until ?? Infinity;
  if (phase.until > at) return phase.until;
  return phase.until + ackTimeoutMs > at ? phase.until + ackTimeoutMs : Infinity;
}
