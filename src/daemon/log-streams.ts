import type { Logger } from 'pino';
import type { Session } from '../xds/session.ts';
import type { StreamAction } from '../xds/stream/types.ts';
import type { LogThrottle } from './log-throttle.ts';

/** The log, and what keeps peers from flooding it. */
export interface StreamLog {
  readonly log: Logger;
  readonly throttle: LogThrottle;
}

/** Logs the actions of a stream that operators should know and that are not facts of the rollout. */
export function logStream({ log, throttle }: StreamLog, stream: Session, action: StreamAction): void {
  const { node, peer } = stream;
  const who = { node: node?.id, peer };
  const envoy = (): string => `Envoy ${node?.id ?? '?'} (${peer})`;
  const throttled = (write: () => void): void => throttle.run(action.type, toHost(peer), write);
  switch (action.type) {
    case 'absent_nacked':
      return throttled(() =>
        log.warn(
          { event: 'absent_refused', ...who },
          `${envoy()} refuses an empty layer ${action.name}: ${action.error.message}`,
        ),
      );
    case 'unsupported':
      return throttled(() =>
        log.warn(
          { event: 'unsupported_type', ...who },
          `${envoy()} asks for ${action.typeUrl}, which is not served: the request is ignored`,
        ),
      );
    case 'reject':
      return throttled(() => log.warn({ event: 'stream_ended', ...who }, toEnd(peer, action.message)));
    default:
      return;
  }
}

/** Logs why a stream was refused or ended before it had a node. */
export function logStreamRefusal({ log, throttle }: StreamLog, peer: string, reason: string): void {
  throttle.run('reject', toHost(peer), () => log.warn({ event: 'stream_ended', peer }, toEnd(peer, reason)));
}

/** Logs an internal error that ended a stream. */
export function logStreamFailure({ log, throttle }: StreamLog, peer: string, error: unknown): void {
  const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
  throttle.run('fault', toHost(peer), () =>
    log.error(
      { event: 'fault', peer, error: words },
      `an internal error of shardplane ended a stream from ${peer}: please report it`,
    ),
  );
}

/** Logs how many lines of one cause and peer were suppressed. */
export function logLeftOut(log: Logger, count: number, cause: string, peer: string): void {
  log.warn(
    { event: 'left_out', cause, peer, count },
    `${count} more lines like the last of ${peer} (${cause}) were left out`,
  );
}

function toEnd(peer: string, reason: string): string {
  return `a stream from ${peer} was ended: ${reason}`;
}

/** A peer without its port, which changes with each connection. */
function toHost(peer: string): string {
  return peer.replace(/:\d+$/, '');
}
