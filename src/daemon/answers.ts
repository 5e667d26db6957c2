import type { RolloutEvent } from '../rollout/types.ts';
import type { Session } from '../xds/session.ts';
import type { StreamAction } from '../xds/stream/types.ts';
import { NO_RELEASE } from '../xds/stream/types.ts';

/** What one stream's action is to the rollout, or null when it is nothing to it. */
export function toRolloutEvent(
  stream: Pick<Session, 'id' | 'node' | 'client'>,
  action: StreamAction,
  at: number,
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
        : toAnswer(action, { at, session, version: action.target.version });
    default:
      return null;
  }
}

function toAnswer(
  action: Extract<StreamAction, { type: 'send' | 'kept' | 'acked' | 'nacked' }>,
  push: { at: number; session: string; version: string },
): RolloutEvent {
  if (action.type === 'nacked') return { type: 'nacked', ...push, ...action.error };
  return { type: action.type === 'send' ? 'sent' : 'acked', ...push };
}
