import { because, count, toTime } from '../config/words.ts';
import type { CommandResult, Order } from '../http/api.ts';
import { short } from '../release/short.ts';
import { isAtOnce, isLastWave, type Candidate } from '../rollout/candidate.ts';
import { type RolloutState } from '../rollout/state.ts';
import { freezeOf, frozenAt } from '../rollout/frozen.ts';
import type { CommandEvent } from '../rollout/types.ts';

const pausedHint = 'shardplane resume lets it go on, shardplane abort takes it back';

export interface Operated {
  readonly state: RolloutState;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The newest revision waits for the end of a freeze. */
  readonly isHeldByFreeze: boolean;
}

/** The event of an order. */
export function toCommand(order: Order, at: number): CommandEvent {
  const { by, why } = order;
  if (order.verb === 'promote') return { type: 'promote', at, by, why, all: order.all };
  if (order.verb === 'freeze') return { type: 'freeze', at, by, why, until: order.until };
  return { type: order.verb, at, by, why };
}

/** Why an order would change nothing, with what to do instead; null: it changes something. */
export function refusalOf(order: Order, operated: Operated): CommandResult | null {
  const { state } = operated;
  switch (order.verb) {
    case 'freeze':
      return refuseFreeze(order.until, operated);
    case 'unfreeze':
      return frozenAt(state, operated.at) === null ? refuse('nothing is frozen') : null;
    default:
      if (state.candidate === null) return refuse('nothing is being rolled out', hintWithout(order.verb, operated));
      return refuseOf(order, state.candidate, operated);
  }
}

function refuse(message: string, hint?: string): CommandResult {
  return { ok: false, message, ...(hint !== undefined && { hint }) };
}

function hintWithout(verb: Order['verb'], { state, isHeldByFreeze }: Operated): string | undefined {
  if (isHeldByFreeze) return 'the newest commit is held by a freeze: shardplane unfreeze, or shardplane accept HEAD';
  if (verb !== 'abort' || state.live === null) return undefined;
  return `${short(state.live.version)} is live; to take it back: git revert`;
}

function refuseFreeze(until: number | null, { state, at }: Operated): CommandResult | null {
  const { freeze } = state;
  if (freeze === null || freeze.until !== until || (until !== null && until <= at)) return null;
  return refuse(
    `frozen${untilWords(until)} already, by ${freeze.by}${because(freeze.why)}`,
    'shardplane unfreeze ends it',
  );
}

function refuseOf(order: Order, candidate: Candidate, operated: Operated): CommandResult | null {
  const { paused } = candidate;
  const name = short(candidate.version);
  if (order.verb === 'pause' && paused !== null)
    return refuse(
      `${name} is paused already, by ${paused.by}${because(paused.why)}`,
      'shardplane resume lets it go on',
    );
  if (order.verb === 'resume' && paused === null)
    return refuse(`${name} is not paused`, 'shardplane status says what it waits for');
  return order.verb === 'promote' ? refusePromotion(order.all, candidate, operated) : null;
}

function refusePromotion(all: boolean, candidate: Candidate, { state, at }: Operated): CommandResult | null {
  const { version, paused, phase, isHurried } = candidate;
  const name = short(version);
  if (paused !== null) return refuse(`${name} is paused`, 'shardplane resume first, or shardplane abort');
  if (phase.type === 'pushing') {
    const waits = `waits for ${count(state.waiting.size, 'node')} to answer`;
    if (isLastWave(candidate) && (isAtOnce(candidate) || isHurried || !all))
      return refuse(`${name} is offered to everyone already: it ${waits}`);
    if (!all)
      return refuse(
        `${name}: ${where(candidate)} ${waits}`,
        'shardplane promote once they have, or shardplane promote --all',
      );
  }
  const frozen = isLastWave(candidate) ? null : freezeOf(state, at);
  return (
    frozen &&
    refuse(`${name}: no wave begins, frozen${untilWords(frozen.until)} (${frozen.reason})`, 'shardplane unfreeze')
  );
}

/** What an order that was carried out has done, for the operator. */
export function answerTo(order: Order, before: Candidate | null, { state, isHeldByFreeze }: Operated): CommandResult {
  const done = (message: string): CommandResult => ({ ok: true, message });
  const name = before === null ? '' : short(before.version);
  switch (order.verb) {
    case 'pause':
      return done(`${name} is paused${before === null ? '' : ` ${inWave(before)}`}: nodes keep what they have
${pausedHint}`);
    case 'resume':
      return done(`${name} goes on${before === null ? '' : ` ${inWave(before)}`}`);
    case 'abort':
      return done(
        `${name} is taken back${state.live === null ? '' : `: every node gets ${short(state.live.version)}, which is live`}\nit is not pushed again before shardplane retry ${name}`,
      );
    case 'promote':
      return done(describePromotion(name, state.candidate));
    case 'freeze':
      return done(describeFreeze(order.until, before));
    case 'unfreeze':
      return done(describeThaw(before, isHeldByFreeze));
  }
}

function describePromotion(name: string, after: Candidate | null): string {
  if (after === null || short(after.version) !== name) return `${name} is live`;
  return `${name} goes on: ${where(after)} of ${after.plan.strategy}`;
}

function describeFreeze(until: number | null, candidate: Candidate | null): string {
  const head = `frozen${until === null ? ' until shardplane unfreeze' : untilWords(until)}: no wave begins, new commits are held`;
  if (candidate === null) return head;
  const name = short(candidate.version);
  if (isAtOnce(candidate)) return `${head}\n${name} was offered to everyone before: it goes on`;
  return `${head}\n${name} stays ${inWave(candidate)}; shardplane abort takes it back`;
}

function describeThaw(candidate: Candidate | null, isHeldByFreeze: boolean): string {
  const head = 'rollouts are not frozen any more';
  if (candidate !== null && !isAtOnce(candidate)) return `${head}: ${short(candidate.version)} goes on`;
  return isHeldByFreeze ? `${head}: the commit that was held goes on by itself` : head;
}

function inWave(candidate: Candidate): string {
  return candidate.wave < 0 ? 'before its first wave' : `in ${where(candidate)}`;
}

function where({ wave, plan }: Candidate): string {
  return wave < 0 ? 'its first wave' : `wave ${wave + 1} of ${plan.waves.length}`;
}

function untilWords(until: number | null): string {
  return until === null ? '' : ` until ${toTime(until)}`;
}
