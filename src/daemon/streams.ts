import type { SessionId, Version } from '../ids.ts';
import { commitOf } from '../rollout/candidate.ts';
import type { NodeLabels } from '../rollout/reach.ts';
import type { RolloutEvent } from '../rollout/types.ts';
import type { Session } from '../xds/session.ts';
import type { StreamAction } from '../xds/stream/types.ts';
import { NO_RELEASE } from '../xds/stream/types.ts';
import type { PlaceOf } from './place-of.ts';
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

/** Handles each action of each stream: counts it, logs it if an operator should know, and passes it to the rollout. */
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

  /** An internal error ended one stream; the others go on. */
  readonly onFailure = (peer: string, error: unknown): void => {
    this.#options.metrics.onStreamFailure();
    logStreamFailure(this.#options, peer, error);
  };

  /** A stream was refused, or ended before it had a node. */
  readonly onRefusal = (peer: string, reason: string): void => {
    this.#options.metrics.onStreamRefusal();
    logStreamRefusal(this.#options, peer, reason);
  };
}

/** A stream joins with its first request, which names its node. */
const unknown: NodeLabels = { id: '', cluster: '', locality: '', metadata: {} };

/** A stream's action as an event of the rollout, or null if it is none. */
export function toRolloutEvent(
  stream: Pick<Session, 'id' | 'node' | 'client'>,
  action: StreamAction,
  { at, placeOf }: { readonly at: number; readonly placeOf: PlaceOf },
): RolloutEvent | null {
  const session = stream.id;
  switch (action.type) {
    case 'joined':
      return { type: 'joined', at, session, node: stream.node ?? unknown, client: stream.client };
    case 'left':
      return { type: 'left', at, session };
    case 'send':
    case 'kept':
    case 'acked':
    case 'nacked':
      // Whatever else is offered to streams is a release.
      return action.target.version === NO_RELEASE
        ? null
        : toAnswer(action, { at, session, version: action.target.version }, placeOf);
    default:
      return null;
  }
}

function toAnswer(
  action: Extract<StreamAction, { type: 'send' | 'kept' | 'acked' | 'nacked' }>,
  push: { at: number; session: SessionId; version: Version },
  placeOf: PlaceOf,
): RolloutEvent {
  if (action.type === 'nacked')
    return { type: 'nacked', ...push, ...action.error, place: placeOf(commitOf(push.version), action.error.message) };
  return { type: action.type === 'send' ? 'sent' : 'acked', ...push };
}
