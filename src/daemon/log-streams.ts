import type { Logger } from 'pino';
import type { Session } from '../xds/session.ts';
import type { StreamAction } from '../xds/stream/types.ts';
import type { Repeats } from './repeats.ts';

/** Where what peers cause is logged, and what keeps that short. */
export interface StreamLog {
  readonly log: Logger;
  readonly repeats: Repeats;
}

/** Logs what a stream does that an operator should know, and that is not the rollout's to tell. */
export function logStream({ log, repeats }: StreamLog, stream: Session, action: StreamAction): void {
  const { node, peer } = stream;
  const who = { node: node?.id, peer };
  const envoy = (): string => `Envoy ${node?.id ?? '?'} (${peer})`;
  const sparsely = (say: () => void): void => repeats.say(action.type, toHost(peer), say);
  switch (action.type) {
    case 'absent_nacked':
      return sparsely(() =>
        log.warn(
          { event: 'absent_refused', ...who },
          `${envoy()} refuses an empty layer ${action.name}: ${action.error.message}`,
        ),
      );
    case 'unsupported':
      return sparsely(() =>
        log.warn(
          { event: 'unsupported_type', ...who },
          `${envoy()} asks for ${action.typeUrl}, which is not served here: it is left unanswered`,
        ),
      );
    case 'reject':
      return sparsely(() => log.warn({ event: 'stream_ended', ...who }, toEnd(peer, action.message)));
    default:
      return;
  }
}

/** Logs why a stream was turned away or ended that is no Envoy's, or not yet. */
export function logStreamRefusal({ log, repeats }: StreamLog, peer: string, reason: string): void {
  repeats.say('reject', toHost(peer), () => log.warn({ event: 'stream_ended', peer }, toEnd(peer, reason)));
}

/** Logs that a stream has ended by a fault of the program. */
export function logStreamFailure({ log, repeats }: StreamLog, peer: string, error: unknown): void {
  const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
  repeats.say('fault', toHost(peer), () =>
    log.error(
      { event: 'fault', peer, error: words },
      `a stream from ${peer} was ended by a fault of shardplane: please report it`,
    ),
  );
}

/** Logs how many lines of one cause and peer were left out. */
export function logLeftOut(log: Logger, count: number, cause: string, peer: string): void {
  log.warn(
    { event: 'left_out', cause, peer, count },
    `${count} more lines like the last of ${peer} (${cause}) were left out`,
  );
}

function toEnd(peer: string, reason: string): string {
  return `a stream from ${peer} was ended: ${reason}`;
}

/** A peer without its port: who connects anew is still the same. */
function toHost(peer: string): string {
  return peer.replace(/:\d+$/, '');
}
