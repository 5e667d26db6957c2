import { count, toTime } from '../config/words.ts';
import type { CheckStatus, RolloutStatus, Status } from '../http/api.ts';
import { isAtOnce, isLastWave, type Candidate, type Phase } from '../rollout/candidate.ts';
import { describePlanned, duration } from './describe-plan.ts';
import { expectedMembers } from '../rollout/members.ts';
import type { RolloutState } from '../rollout/state.ts';
import { openChecks } from '../rollout/verdicts.ts';
import { countReached } from '../rollout/targets.ts';
import { freezeOf, frozenAt, lasts } from '../rollout/frozen.ts';

interface Seen {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly subject: string;
  readonly checksOff: string | null;
}

/** The rollout under way, for people and programs; null: there is none. */
export function toRolloutStatus(state: RolloutState, { now, subject, checksOff }: Seen): RolloutStatus | null {
  const { candidate } = state;
  if (candidate === null) return null;
  const { version, plan, phase, stage, wave, startedAt, waveAt, paused } = candidate;
  const bakeUntil = phase.type === 'baking' && paused === null ? phase.until : null;
  return {
    ...{ version, subject, strategy: plan.strategy, reason: plan.reason ?? null, phase: phase.type },
    wave: wave + 1,
    waves: plan.waves.map(describePlanned),
    nodes: { reached: countReached(state), connected: state.nodes.size },
    customers: stage && { percent: stage.cutover / 100, named: stage.first },
    startedAt: toJsonTime(startedAt),
    waveAt: toJsonTime(waveAt),
    bakeUntil: bakeUntil === null ? null : toJsonTime(bakeUntil),
    bakeLeftMs: bakeUntil === null ? (paused?.leftMs ?? null) : Math.max(0, bakeUntil - now),
    paused: paused && { by: paused.by, why: paused.why, reason: paused.reason, since: toJsonTime(paused.at) },
    waitsFor: waitsFor(state, candidate, now),
    hint: hintFor(candidate, now, !isLastWave(candidate) && freezeOf(state, now) !== null),
    checks: toChecks(state),
    checksOff: isAtOnce(candidate) ? null : checksOff,
  };
}

/** Why no wave may begin, or null. */
export function toFreezeStatus(state: RolloutState, now: number): Status['freeze'] {
  const frozen = frozenAt(state, now);
  if (frozen === null) return null;
  const { freeze } = state;
  const until = frozen.until === null ? null : toJsonTime(frozen.until);
  if (!lasts(freeze, now)) return { until, reason: frozen.reason, by: null, since: null };
  return { until, reason: freeze.why, by: freeze.by, since: toJsonTime(freeze.at) };
}

function toChecks({ checks }: RolloutState): CheckStatus[] {
  return [...checks].map(([name, { recent, message, noDataSince }]) => ({
    ...{ name, verdicts: [...recent], message },
    noDataSince: noDataSince === null ? null : toJsonTime(noDataSince),
  }));
}

/** What has to happen before the rollout goes on. */
function waitsFor(state: RolloutState, { phase, paused }: Candidate, now: number): string | null {
  if (paused !== null) return 'an operator, to resume or abort it';
  switch (phase.type) {
    case 'pushing':
      return `${count(state.waiting.size, 'node')} to answer, ${duration(phase.deadline - now)} at most`;
    case 'baking':
      if (phase.until > now) return `the end of its bake, in ${duration(phase.until - now)}`;
      return describeOverdue(openChecks(state));
    case 'waiting':
      return waitsBefore(state, phase, now);
  }
}

/** Its bake is over. `names`: of checks that don't pass. */
function describeOverdue(names: readonly string[]): string {
  if (names.length === 0) return 'nodes of the wave that are gone to come back';
  return `${names.length === 1 ? `check ${names.join('')}` : `checks ${names.join(', ')}`} to pass`;
}

function waitsBefore(state: RolloutState, { reason, until }: Extract<Phase, { type: 'waiting' }>, now: number) {
  const within = until === null ? '' : `, ${duration(until - now)} at most`;
  switch (reason) {
    case 'promotion':
      return 'an operator, to promote it';
    case 'freeze':
      return describeFreeze(state, now);
    case 'nodes':
      return `${describeMissing(state)}${within}`;
    case 'start':
      return null;
  }
}

function describeMissing(state: RolloutState): string {
  const expected = expectedMembers(state);
  if (state.members >= expected) return 'the first answer of a node that has just connected';
  return `nodes to connect: ${state.members} of ${expected} are there`;
}

function describeFreeze(state: RolloutState, now: number): string {
  const frozen = frozenAt(state, now);
  const end = frozen?.until == null ? '' : `, ${toTime(frozen.until)}`;
  return `the end of the freeze (${frozen?.reason ?? 'it is over'})${end}`;
}

/** What an operator can do about it. */
function hintFor({ phase, paused }: Candidate, now: number, isFrozen: boolean): string {
  if (paused !== null) return 'shardplane resume lets it go on, shardplane abort takes it back';
  if (phase.type === 'waiting' && phase.reason === 'freeze')
    return 'shardplane unfreeze ends the freeze, shardplane abort takes it back';
  if (phase.type === 'pushing' || isFrozen) return 'shardplane pause stops it here, shardplane abort takes it back';
  const isStuck = phase.type === 'baking' && phase.until <= now;
  const end = phase.type === 'waiting' ? 'begins it now' : isStuck ? 'goes on despite it' : 'goes on now';
  return `shardplane promote ${end}, pause stops here, abort takes it back`;
}

function toJsonTime(ms: number): string {
  return new Date(ms).toISOString();
}
