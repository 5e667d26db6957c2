import type { Version } from '../ids.ts';
import { isAtOnce, stageOf, waveOf, type Candidate, type WaitReason } from './candidate.ts';
import { ask } from './offer.ts';
import { extend, reaches, type Reach } from './reach.ts';
import { countNodes, createChecks, frozenAt, progressOf, type RolloutState } from './state.ts';
import type { Rollout } from './turn.ts';

/** Why the next wave may not begin. */
interface Gate {
  readonly reason: WaitReason;
  readonly detail: string | null;
  readonly until: number | null;
}

/**
 * Begins the next wave that reaches somebody, unless a gate is closed. Returns whether it did. `isPromoted`: an operator wants it, so
 * only a freeze can stop it.
 */
export function nextWave(rollout: Rollout, isPromoted = false): boolean {
  const { state } = rollout;
  const { candidate } = state;
  if (candidate === null) return false;
  const { plan, wave, isHurried } = candidate;
  const index = isHurried ? plan.waves.length - 1 : wave + 1;
  const next = plan.waves[index];
  if (next === undefined) return false;
  const gate = gateOf(rollout, candidate, { isManual: next.isManual, isPromoted: isPromoted || isHurried });
  // Whom a wave would reach is known only once the fleet is there.
  if (gate?.reason === 'nodes') return wait(rollout, gate, index);
  const reach = extend(candidate.reach, next.nodes, membersOf(state));
  if (next.nodes.type !== 'everyone' && !addsAny(state, candidate.reach, reach)) {
    skip(rollout, index, reach);
    return nextWave(rollout, isPromoted);
  }
  if (gate !== null) return wait(rollout, gate, index);
  begin(rollout, index, reach);
  return true;
}

function membersOf({ ids, muted }: RolloutState): Set<string> {
  return new Set([...ids.keys()].filter((id) => !muted.has(id)));
}

function addsAny({ nodes, muted }: RolloutState, before: Reach, after: Reach): boolean {
  return nodes.values().some(({ id, labels }) => !muted.has(id) && reaches(after, labels) && !reaches(before, labels));
}

function gateOf(
  { state, at }: Rollout,
  candidate: Candidate,
  { isManual, isPromoted }: { isManual: boolean; isPromoted: boolean },
): Gate | null {
  if (isAtOnce(candidate)) return null;
  if (!isPromoted) {
    const nodes = awaitedNodes(state, candidate, at);
    if (nodes !== null) return nodes;
    if (isManual) return { reason: 'promotion', detail: null, until: null };
  }
  const frozen = frozenAt(state, at);
  return frozen && { reason: 'freeze', detail: frozen.reason, until: frozen.until };
}

/** At the start, while nodes that were there before are not connected: a wave of those that are would be another one. */
function awaitedNodes(state: RolloutState, { wave, phase, isResumed }: Candidate, at: number): Gate | null {
  const expected = Math.max(0, ...state.offeredTo);
  if ((wave >= 0 && !isResumed) || state.members >= expected) return null;
  const known = phase.type === 'waiting' && phase.reason === 'nodes' ? phase.until : null;
  if (known !== null && known <= at) return null;
  const until = state.members === 0 ? null : (known ?? at + state.settings.ackTimeoutMs);
  return { reason: 'nodes', detail: `${state.members} of ${expected} nodes are connected`, until };
}

function wait({ state, facts }: Rollout, { reason, detail, until }: Gate, index: number): false {
  const { candidate } = state;
  const wave = progressOf(state, index);
  if (candidate === null || wave === null) return false;
  const { phase, version } = candidate;
  state.candidate = { ...candidate, phase: { type: 'waiting', reason, until } };
  const isKnown = phase.type === 'waiting' && phase.reason === reason;
  if (!isKnown) facts.push({ type: 'wave_waits', version, reason, detail, until, wave });
  return false;
}

function skip({ state, facts }: Rollout, index: number, reach: Reach): void {
  if (state.candidate === null) return;
  state.candidate = { ...state.candidate, wave: index, reach };
  const wave = progressOf(state);
  if (wave !== null) facts.push({ type: 'wave_skipped', version: state.candidate.version, wave });
}

/** Offers the candidate, or its next stage, to those that the wave reaches. */
function begin(rollout: Rollout, index: number, reach: Reach): void {
  const { state, at } = rollout;
  const wave = state.candidate?.plan.waves[index];
  if (state.candidate === null || wave === undefined) return;
  const { version, checks, offered: before, startedAt } = state.candidate;
  const stage = stageOf(state.candidate.stage, wave);
  const offered = stage === null ? version : (`${version}.${++state.stages}` as Version);
  const phase = { type: 'pushing', deadline: at + state.settings.ackTimeoutMs } as const;
  state.candidate = {
    ...state.candidate,
    ...{ startedAt: before === null ? at : startedAt, wave: index, waveAt: at, reach, stage, offered, phase },
    isResumed: false,
  };
  state.checks = createChecks(checks, at);
  ask(rollout);
  state.candidate = { ...state.candidate, asked: state.electorate?.size ?? 0 };
}

/** The wave's nodes have it: now it bakes. */
export function bake({ state, at, facts }: Rollout): void {
  const { candidate } = state;
  const current = candidate && waveOf(candidate);
  if (candidate === null || current === null) return;
  const ms = candidate.isHurried ? 0 : current.bakeMs;
  const until = at + ms;
  state.candidate = { ...candidate, phase: { type: 'baking', until }, isResumed: false };
  const wave = progressOf(state);
  if (ms > 0 && wave !== null)
    facts.push({ type: 'baking', version: candidate.version, until, wave, counts: countNodes(state) });
}

/** The bake is over, and every check that has a say passes. */
export function isBaked({ state: { candidate, checks }, at }: Rollout): boolean {
  if (candidate === null || candidate.phase.type !== 'baking' || candidate.paused !== null) return false;
  if (candidate.phase.until > at) return false;
  const isChecked = !candidate.isHurried && (waveOf(candidate)?.bakeMs ?? 0) > 0;
  return !isChecked || candidate.checks.every((name) => checks.get(name)?.recent.at(-1) === 'pass');
}
