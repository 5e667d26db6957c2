import type { Logger } from 'pino';
import { drawDiagnostic } from '../cli/draw.ts';
import type { Diagnostic } from '../config/diagnostic.ts';
import type { Problem } from '../http/api.ts';
import type { RolloutAction } from '../rollout/types.ts';
import type { Session } from '../xds/session.ts';
import type { StreamAction } from '../xds/stream/types.ts';

/** The first digits of a SHA, as git shows them. */
export function short(version: string): string {
  return version.slice(0, 12);
}

/**
 * Says what the rollout decided. `about`: the subject of its commit, and a refusal drawn at its place in the file.
 */
export function sayAction(log: Logger, action: RolloutAction, about: { subject: string; drawn: string | null }): void {
  const { subject, drawn } = about;
  switch (action.type) {
    case 'offer':
      return action.version === null
        ? log.warn('no release to offer')
        : log.info(`pushing ${short(action.version)} ${subject}`);
    case 'outcome':
      return sayOutcome(log, action, subject);
    case 'live':
      if (action.live === null) return log.error('no release is live');
      return log.info(
        `live is ${short(action.live.version)}${action.live.proven ? '' : ' (unproven: no Envoy has accepted it yet)'}`,
      );
    case 'pinned':
      return log.error(
        { drawn },
        `rolled back ${short(action.version)} ${subject}: Envoy ${action.refusal.node} refused it`,
      );
    case 'still_pinned':
      return log.warn(
        `${short(action.version)} is not pushed: Envoy ${action.refusal.node} refused it before; shardplane retry ${short(action.version)} tries again`,
      );
    case 'unpinned':
      return log.info(`${short(action.version)} may be pushed again`);
    case 'refused':
      return log.warn(`Envoy ${action.refusal.node} refuses ${short(action.version)}: ${action.refusal.message}`);
    case 'unanswered':
      return log.warn(`Envoy ${action.node} has not answered ${short(action.version)}; it is no longer waited for`);
  }
}

function sayOutcome(log: Logger, action: { version: string; outcome: string }, subject: string): void {
  if (action.outcome === 'rolled_back') return; // said with the refusal
  log.debug(`${short(action.version)} ${subject}: ${action.outcome}`);
}

export function sayProblem(log: Logger, change: 'begins' | 'ends', problem: Problem): void {
  if (change === 'ends') return log.info(`over: ${problem.message}`);
  log.error({ code: problem.code, ...(problem.hint !== null && { hint: problem.hint }) }, problem.message);
}

/** All diagnostics of one file, drawn with their source lines. */
export function drawAll(diagnostics: readonly Diagnostic[], source: Uint8Array | null): string {
  const text = source === null ? null : new TextDecoder().decode(source);
  return diagnostics.map((diagnostic) => drawDiagnostic(diagnostic, text, { color: false })).join('\n');
}

/** Says what a stream does that an operator should know, and that is not the rollout's to tell. */
export function sayStream(log: Logger, stream: Session, action: StreamAction): void {
  const envoy = (): string => `Envoy ${stream.node?.id ?? '?'} (${stream.peer})`;
  switch (action.type) {
    case 'absent_nacked':
      return log.warn(`${envoy()} refuses an empty layer ${action.name}: ${action.error.message}`);
    case 'unsupported':
      return log.warn(`${envoy()} asks for ${action.typeUrl}, which is not served here: it is left unanswered`);
    case 'reject':
      return log.warn(`a stream from ${stream.peer} was ended: ${action.message}`);
    case 'joined':
      return log.debug(`${envoy()} joined${action.claims === null ? '' : `, with ${short(action.claims)}`}`);
    case 'left':
      return log.debug(`${envoy()} left`);
    default:
      return;
  }
}
