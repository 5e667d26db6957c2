import type { RolloutEvent } from '../rollout/types.ts';
import type { Session } from '../xds/session.ts';
import type { StreamAction } from '../xds/stream/types.ts';
import { toRolloutEvent } from './answers.ts';
import type { PlaceOf } from './answers.ts';
import { logStream, logStreamFailure, logStreamRefusal } from './log-streams.ts';
import type { StreamLog } from './log-streams.ts';
import type { Metrics } from './metrics.ts';
import type { Presence } from './presence.ts';

export interface StreamsOptions extends StreamLog {
  readonly metrics: Metrics;
  readonly presence: Presence;
  readonly placeOf: PlaceOf;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly put: (event: RolloutEvent) => void;
}

/** What is done about each action of each stream: it is counted, logged where an operator should know, and told to the rollout. */
export class Streams {
  readonly #options: StreamsOptions;

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  readonly onAction = (session: Session, action: StreamAction): void => {
    const { metrics, presence, placeOf, now, put } = this.#options;
    metrics.onStream(action);
    logStream(this.#options, session, action);
    const event = toRolloutEvent(session, action, { at: now(), placeOf });
    if (event) put(event);
    presence.onStream(session, action);
  };

  /** A fault of the program on one stream: that stream has ended, the others go on. */
  readonly onFailure = (peer: string, error: unknown): void => {
    this.#options.metrics.onStreamFailure();
    logStreamFailure(this.#options, peer, error);
  };

  /** One that was turned away, or ended before it was a client's. */
  readonly onRefusal = (peer: string, reason: string): void => {
    this.#options.metrics.onStreamRefusal();
    logStreamRefusal(this.#options, peer, reason);
  };
}
