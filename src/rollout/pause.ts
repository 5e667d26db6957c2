import type { Pause } from './candidate.ts';
import type { Rollout } from './turn.ts';

/** Who stops a rollout that no operator has stopped. */
const self = 'shardplane';

/** Stops the rollout where it is: nodes keep what they have, and only a rollback is still possible. */
export function pause(
  { state, at, facts }: Rollout,
  { reason, by = self, why }: Pick<Pause, 'reason' | 'why'> & { readonly by?: string },
): void {
  const { candidate } = state;
  if (candidate === null || candidate.paused !== null) return;
  const { phase, version } = candidate;
  const leftMs = phase.type === 'baking' ? Math.max(0, phase.until - at) : null;
  state.candidate = { ...candidate, paused: { reason, by, why, at, leftMs } };
  facts.push({ type: 'paused', version, reason, by, why });
}
