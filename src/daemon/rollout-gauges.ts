import type { FleetLoad } from '../checks/watched.ts';
import type { RolloutState } from '../rollout/state.ts';
import { reachedIds } from '../rollout/targets.ts';
import { frozenAt } from '../rollout/frozen.ts';
import type { RolloutGauges } from './rollout-metrics.ts';

const minute = 60_000;

/** A rollout's current values. `now`: milliseconds since the epoch. */
export function toRolloutGauges(state: RolloutState, load: Pick<FleetLoad, 'sum'>, now: number): RolloutGauges {
  const { candidate, checks } = state;
  const phase = candidate?.phase;
  const isPaused = candidate?.paused != null;
  const recent = candidate === null ? [] : [...checks];
  return {
    phase: isPaused ? 'paused' : (phase?.type ?? 'none'),
    wave: candidate === null ? 0 : candidate.wave + 1,
    waves: candidate?.plan.waves.length ?? 0,
    checks: recent.map(([name, check]) => ({ name, verdict: check.recent.at(-1) ?? null })),
    overdueMs: phase?.type === 'baking' && !isPaused ? Math.max(0, now - phase.until) : 0,
    isFrozen: frozenAt(state, now) !== null,
    load: sumsOf(state, load, now - minute),
  };
}

function sumsOf(state: RolloutState, load: Pick<FleetLoad, 'sum'>, since: number): RolloutGauges['load'] {
  const reached = reachedIds(state);
  return { wave: load.sum((id) => reached.has(id), since), rest: load.sum((id) => !reached.has(id), since) };
}
