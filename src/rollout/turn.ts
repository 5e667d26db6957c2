import type { RolloutState } from './state.ts';
import type { RolloutEffect, RolloutFact } from './types.ts';

/** The handling of one event: the state, the event's time, and the results so far. */
export interface Rollout {
  readonly state: RolloutState;
  readonly at: number;
  readonly facts: RolloutFact[];
  readonly effects: RolloutEffect[];
}
