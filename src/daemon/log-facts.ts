import type { Logger } from 'pino';
import { drawDiagnostic } from '../terminal.ts';
import type { Diagnostic } from '../config/diagnostic.ts';
import type { Problem } from '../http/api.ts';
import { short } from '../release/short.ts';
import { diagnose } from '../rollout/diagnose.ts';
import type { Cause } from '../rollout/types.ts';
import type { Fact, FactOf } from '../state/facts.ts';
import { logRollout } from './log-rollout.ts';
import { describeWave } from './describe-wave.ts';
import type { RevisionText } from './recent-sources.ts';

/** Logs a fact, with its commit's subject and, if known, its file. */
export function logFact(log: Logger, fact: Fact, { subject, source }: RevisionText): void {
  switch (fact.type) {
    case 'invalid': {
      const { version, diagnostics } = fact;
      return log.error(
        { event: 'invalid', version, outcome: 'invalid', drawn: drawAll(diagnostics, source) },
        `invalid ${short(version)} ${subject}: not pushed`,
      );
    }
    case 'held':
      return log.warn(
        { event: 'held', version: fact.version, outcome: 'held', hint: fact.diagnostics[0]?.hint },
        `held ${short(fact.version)} ${subject}: ${fact.reason}`,
      );
    case 'accepted':
      return log.info(
        { event: 'accepted', version: fact.version, by: fact.by },
        `${fact.by} accepted ${short(fact.version)}`,
      );
    case 'retried':
      return log.info(
        { event: 'retried', version: fact.version, by: fact.by },
        `${fact.by} retried ${short(fact.version)}`,
      );
    case 'offered': {
      const wave =
        fact.wave === null ? '' : `, ${describeWave(fact.wave)}: ${fact.wave.nodes} of ${fact.counts.connected} nodes`;
      return log.info({ event: 'pushing', version: fact.version }, `pushing ${short(fact.version)} ${subject}${wave}`);
    }
    case 'nothing_to_offer':
      return log.warn({ event: 'nothing_to_push' }, 'no release to offer');
    case 'live':
      return logLive(log, fact);
    case 'nothing_live':
      return log.error({ event: 'nothing_live' }, 'no release is live');
    case 'settled':
      return logSettled(log, fact);
    case 'superseded':
      return log.debug(
        { event: 'outcome', version: fact.version, outcome: fact.type },
        `${short(fact.version)} ${subject}: superseded`,
      );
    case 'rolled_back':
    case 'still_pinned':
    case 'unpinned':
    case 'refused':
    case 'unanswered':
      return logRefusal(log, fact, { subject, source });
    case 'muted':
      return log.info(
        { event: 'muted', node: fact.node, by: fact.by },
        `${fact.by} took the vote of Envoy ${fact.node} away`,
      );
    case 'unmuted':
      return log.info(
        { event: 'unmuted', node: fact.node, by: fact.by },
        `${fact.by} gave Envoy ${fact.node} its vote back`,
      );
    case 'wave_skipped':
    case 'wave_waits':
    case 'baking':
    case 'check':
    case 'paused':
    case 'resumed':
    case 'promoted':
    case 'frozen':
    case 'unfrozen':
      return logRollout(log, fact);
    case 'seen':
    case 'closed':
    case 'nothing_found':
      return;
  }
}

function logLive(log: Logger, { version, proven }: FactOf<'live'>): void {
  const unproven = proven ? '' : ' (unproven: too few Envoys have accepted it yet)';
  log.info({ event: 'live', version, outcome: 'live', proven }, `${short(version)} is live${unproven}`);
}

function logSettled(log: Logger, { version, ms, counts, wave = null }: FactOf<'settled'>): void {
  const { acked, connected, refusing, unanswered } = counts;
  if (connected === 0) return;
  const others = `${refusing > 0 ? `, ${refusing} refusing` : ''}${unanswered > 0 ? `, ${unanswered} unanswered` : ''}`;
  // Nodes outside the wave have acknowledged the release that they keep.
  const words = wave === null ? `acknowledged by ${acked} of ${connected}` : `${describeWave(wave)}: all have answered`;
  log.info({ event: 'settled', version, ms, acked, connected }, `${short(version)} ${words}${others}`);
}

type OfRefusals = FactOf<'rolled_back' | 'still_pinned' | 'unpinned' | 'refused' | 'unanswered'>;

function logRefusal(log: Logger, fact: OfRefusals, { subject, source }: RevisionText): void {
  const { version } = fact;
  switch (fact.type) {
    case 'rolled_back': {
      const { cause } = fact;
      const drawn = drawAll([diagnose(cause)], source);
      return log.error(
        { event: 'rolled_back', version, ...fieldsOf(cause), outcome: 'rolled_back', drawn },
        `rolled back ${short(version)} ${subject}: ${nameCause(cause)}`,
      );
    }
    case 'still_pinned':
      return log.warn(
        { event: 'still_pinned', version, ...fieldsOf(fact.cause), outcome: 'rolled_back' },
        `${short(version)} is not pushed: ${nameCause(fact.cause)} before; to try again: shardplane retry ${short(version)}`,
      );
    case 'unpinned':
      return log.info({ event: 'unpinned', version }, `${short(version)} may be pushed again`);
    case 'refused':
      return log.warn(
        { event: 'refused', version, node: fact.refusal.node },
        `Envoy ${fact.refusal.node} refuses ${short(version)}: ${fact.refusal.message}`,
      );
    case 'unanswered':
      return log.warn(
        { event: 'unanswered', version, node: fact.node },
        `Envoy ${fact.node} did not answer ${short(version)} in time`,
      );
  }
}

function nameCause(cause: Cause): string {
  if (cause.type === 'refused') return `Envoy ${cause.node} refused it`;
  return cause.type === 'check' ? `the check "${cause.name}" failed` : `${cause.by} aborted it`;
}

function fieldsOf(cause: Cause): Readonly<Record<string, string>> {
  if (cause.type === 'refused') return { node: cause.node };
  return cause.type === 'check' ? { check: cause.name } : { by: cause.by };
}

export function logProblem(log: Logger, change: 'begins' | 'ends', problem: Problem): void {
  const { code, hint, message } = problem;
  if (change === 'ends') return log.info({ event: 'problem_ends', code }, `resolved: ${message}`);
  log.error({ event: 'problem_begins', code, ...(hint !== null && { hint }) }, message);
}

/** All diagnostics of one file, drawn with their source lines. */
export function drawAll(diagnostics: readonly Diagnostic[], source: Uint8Array | null): string {
  const text = source === null ? null : new TextDecoder().decode(source);
  return diagnostics.map((diagnostic) => drawDiagnostic(diagnostic, text, { color: false })).join('\n');
}
