import { createFreeze } from '../rollout/freeze.ts';
import type { RolloutSettings } from '../rollout/state.ts';
import type { Settings } from '../settings/settings.ts';

/** How long a node must have run an accepted release before its refusal alone rolls one back: nodes that come and go don't get there. */
const voteAfterMs = 5_000;

/** What the rollout's step needs of the settings. */
export function toRolloutSettings({ xds, rollout }: Settings): RolloutSettings {
  return {
    ...{ ackTimeoutMs: xds.ackTimeoutMs, quorum: xds.quorum, voteAfterMs },
    checks: rollout.checks.prometheus.map(({ name }) => name),
    frozenAt: createFreeze(rollout.freeze),
  };
}
