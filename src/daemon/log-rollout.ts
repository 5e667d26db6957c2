import type { Logger } from 'pino';
import { because, toTime } from '../config/words.ts';
import { short } from '../release/short.ts';
import type { FactOf } from '../state/facts.ts';
import { describeWave } from './describe-wave.ts';

type OfRollout = FactOf<
  'wave_skipped' | 'wave_waits' | 'baking' | 'check' | 'paused' | 'resumed' | 'promoted' | 'frozen' | 'unfrozen'
>;

/** Logs a step of a gradual rollout, once. */
export function logRollout(log: Logger, fact: OfRollout): void {
  const { type: event, version } = fact;
  const fields = { event, ...(version !== null && { version }), ...('by' in fact && { by: fact.by }) };
  const name = version === null ? 'no release' : short(version);
  switch (fact.type) {
    case 'wave_skipped':
      return log.info(fields, `${name}: ${describeWave(fact.wave)} is skipped: it would reach no node`);
    case 'wave_waits':
      return log.info(fields, `${name}: ${describeWave(fact.wave)} waits for ${describeWait(fact)}`);
    case 'baking':
      return log.info(fields, `${name}: ${describeWave(fact.wave)} bakes until ${toTime(fact.until)}`);
    case 'check':
      return logCheck(log, { ...fields, check: fact.name, verdict: fact.verdict }, fact);
    case 'paused':
      return log.warn(
        { ...fields, reason: fact.reason },
        `${name}: the rollout is paused by ${fact.by}${because(fact.why)}; nodes keep what they have`,
      );
    case 'resumed':
      return log.info(fields, `${name}: ${fact.by} resumed the rollout${because(fact.why)}`);
    case 'promoted':
      return log.info(fields, `${name}: ${fact.by} promoted it${fact.all ? ' to everyone' : ''}${because(fact.why)}`);
    case 'frozen': {
      const end = fact.until === null ? '' : ` until ${toTime(fact.until)}`;
      return log.warn(fields, `${fact.by} froze rollouts${end}${because(fact.why)}`);
    }
    case 'unfrozen':
      return log.info(fields, `${fact.by} ended the freeze${because(fact.why)}`);
  }
}

function logCheck(log: Logger, fields: object, { version, name, verdict, message }: FactOf<'check'>): void {
  const text = `${short(version)}: check ${name}: ${message}`;
  if (verdict === 'fail') log.warn(fields, text);
  else log.info(fields, text);
}

/** What a wave waits for. */
export function describeWait({
  reason,
  detail,
  until,
}: Pick<FactOf<'wave_waits'>, 'reason' | 'detail' | 'until'>): string {
  const end = until === null ? '' : `, until ${toTime(until)} at the latest`;
  switch (reason) {
    case 'promotion':
      return 'an operator: shardplane promote';
    case 'freeze':
      return `the end of a freeze (${detail ?? ''})${until === null ? '' : `, ${toTime(until)}`}`;
    case 'nodes':
      return `nodes to connect (${detail ?? ''})${end}`;
    case 'start':
      return 'nothing';
  }
}
