import type { Logger } from 'pino';
import { drawDiagnostic } from '../terminal.ts';
import type { Diagnostic } from '../config/diagnostic.ts';
import type { Problem } from '../http/api.ts';
import type { Live, RolloutAction } from '../rollout/types.ts';
import { short } from '../release/short.ts';

/**
 * Says what the rollout decided. `about`: the subject of its commit, and a refusal drawn at its place in the file.
 */
export function sayAction(log: Logger, action: RolloutAction, about: { subject: string; drawn: string | null }): void {
  const { subject, drawn } = about;
  switch (action.type) {
    case 'offer':
      return sayOffer(log, action.version, subject);
    case 'outcome':
      return sayOutcome(log, action, subject);
    case 'live':
      return sayLive(log, action.live);
    case 'pinned':
      return log.error(
        { event: 'rolled_back', version: action.version, node: action.refusal.node, outcome: 'rolled_back', drawn },
        `rolled back ${short(action.version)} ${subject}: Envoy ${action.refusal.node} refused it`,
      );
    case 'still_pinned':
      return log.warn(
        { event: 'still_pinned', version: action.version, node: action.refusal.node, outcome: 'rolled_back' },
        `${short(action.version)} is not pushed: Envoy ${action.refusal.node} refused it before; shardplane retry ${short(action.version)} tries again`,
      );
    case 'unpinned':
      return log.info({ event: 'unpinned', version: action.version }, `${short(action.version)} may be pushed again`);
    case 'refused':
      return log.warn(
        { event: 'refused', version: action.version, node: action.refusal.node },
        `Envoy ${action.refusal.node} refuses ${short(action.version)}: ${action.refusal.message}`,
      );
    case 'unanswered':
      return log.warn(
        { event: 'unanswered', version: action.version, node: action.node },
        `Envoy ${action.node} has not answered ${short(action.version)}; it is no longer waited for`,
      );
  }
}

function sayOffer(log: Logger, version: string | null, subject: string): void {
  if (version === null) return log.warn({ event: 'nothing_to_push' }, 'no release to offer');
  log.info({ event: 'pushing', version }, `pushing ${short(version)} ${subject}`);
}

function sayLive(log: Logger, live: Live | null): void {
  if (live === null) return log.error({ event: 'nothing_live' }, 'no release is live');
  const { version, proven } = live;
  const unproven = proven ? '' : ' (unproven: too few Envoys have accepted it yet)';
  log.info({ event: 'live', version, outcome: 'live', proven }, `live is ${short(version)}${unproven}`);
}

function sayOutcome(log: Logger, action: { version: string; outcome: string }, subject: string): void {
  const { version, outcome } = action;
  if (outcome === 'rolled_back') return; // said with the refusal
  log.debug({ event: 'outcome', version, outcome }, `${short(version)} ${subject}: ${outcome}`);
}

export function sayProblem(log: Logger, change: 'begins' | 'ends', problem: Problem): void {
  const { code, hint, message } = problem;
  if (change === 'ends') return log.info({ event: 'problem_ends', code }, `over: ${message}`);
  log.error({ event: 'problem_begins', code, ...(hint !== null && { hint }) }, message);
}

/** All diagnostics of one file, drawn with their source lines. */
export function drawAll(diagnostics: readonly Diagnostic[], source: Uint8Array | null): string {
  const text = source === null ? null : new TextDecoder().decode(source);
  return diagnostics.map((diagnostic) => drawDiagnostic(diagnostic, text, { color: false })).join('\n');
}
