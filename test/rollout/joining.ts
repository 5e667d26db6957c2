import type { SessionId } from '../../src/ids.ts';
import { createRollout, type RolloutSettings } from '../../src/rollout/state.ts';
import type { RolloutEvent } from '../../src/rollout/types.ts';
import { labelsOf, sessionOf } from '../helpers/ids.ts';

/** A rollout with a clock, whose nodes may join at any time; how they answer is its subclass's to say. */
export abstract class JoiningFleet {
  readonly state;
  /** Milliseconds. */
  at = 0;
  #streams = 0;

  constructor(settings: RolloutSettings) {
    this.state = createRollout(settings);
  }

  abstract apply(event: RolloutEvent): void;

  join(id: string, client: string | null = null): SessionId {
    const session = sessionOf(`${id}/${(this.#streams += 1)}`);
    this.apply({ type: 'joined', at: this.at, session, node: labelsOf(id), client });
    return session;
  }

  wait(seconds: number): void {
    this.at += seconds * 1000;
    this.apply({ type: 'tick', at: this.at });
  }
}
