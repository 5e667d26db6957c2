import { createRevisions, toRevisionsMemory } from '../revisions/state.ts';
import type { Open, RevisionsSettings, RevisionsState } from '../revisions/state.ts';
import { createRollout, toRolloutMemory } from '../rollout/state.ts';
import type { RolloutSettings, RolloutState } from '../rollout/state.ts';
import type { Memory } from './memory.ts';

/** What of git may be released, and which nodes have it. Owned by the caller and updated in place by `step`. */
export interface State {
  readonly revisions: RevisionsState;
  readonly rollout: RolloutState;
}

export interface StateOptions {
  readonly revisions: RevisionsSettings;
  readonly rollout: RolloutSettings;
  /** The state to resume from; null: a first start. */
  readonly memory: Memory | null;
  /** Revisions without a final outcome. */
  readonly open: Open;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function createState({ revisions, rollout, memory, open, now }: StateOptions): State {
  return {
    revisions: createRevisions(revisions, memory?.revisions, open),
    rollout: createRollout(rollout, memory?.rollout, now),
  };
}

export function toMemory({ revisions, rollout }: State): Memory {
  return { revisions: toRevisionsMemory(revisions), rollout: toRolloutMemory(rollout) };
}
