import type { Place, RolloutEvent } from '../rollout/types.ts';
import type { Session } from '../xds/session.ts';
import type { StreamAction } from '../xds/stream/types.ts';
import { NO_RELEASE } from '../xds/stream/types.ts';

/** Where in the config file a release is refused, by Envoy's words. */
export type PlaceOf = (version: string, message: string) => Place;

/** What one stream's action is to the rollout, or null when it is nothing to it. */
export function toRolloutEvent(
  stream: Pick<Session, 'id' | 'node' | 'client'>,
  action: StreamAction,
  { at, placeOf }: { readonly at: number; readonly placeOf: PlaceOf },
): RolloutEvent | null {
  const session = stream.id;
  switch (action.type) {
    case 'joined':
      return { type: 'joined', at, session, node: stream.node?.id ?? '', client: stream.client };
    case 'left':
      return { type: 'left', at, session };
    case 'send':
    case 'kept':
    case 'acked':
    case 'nacked':
      return action.target.version === NO_RELEASE
        ? null
        : toAnswer(action, { at, session, version: action.target.version }, placeOf);
    default:
      return null;
  }
}

function toAnswer(
  action: Extract<StreamAction, { type: 'send' | 'kept' | 'acked' | 'nacked' }>,
  push: { at: number; session: string; version: string },
  placeOf: PlaceOf,
): RolloutEvent {
  if (action.type === 'nacked')
    return { type: 'nacked', ...push, ...action.error, place: placeOf(push.version, action.error.message) };
  return { type: action.type === 'send' ? 'sent' : 'acked', ...push };
}
