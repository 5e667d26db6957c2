import type { Version } from '../ids.ts';
import { isAtOnce, stageOf, waveOf, type Candidate, type WaitReason } from './candidate.ts';
import { ask } from './offer.ts';
import { extend, reaches, type Reach } from './reach.ts';
import { countHolders, expectedMembers, isAnyFresh, membersOf } from './members.ts';
import { pause } from './pause.ts';
import { createChecks, type RolloutState } from './state.ts';
import { countNodes, progressOf } from './targets.ts';
import { freezeOf } from './frozen.ts';
import { quorumOf } from './quorum.ts';
import type { Rollout } from './turn.ts';
import { openChecks, waitForData } from './verdicts.ts';

/** Why the next wave may not begin. */
interface Gate {
  readonly reason: WaitReason;
  readonly detail: string | null;
  readonly until: number | null;
}

/**
 * Begins the next wave that reaches somebody, unless a gate is closed. Returns whether it did. `isAfterSkipped`: the wave before it was
 * skipped, so that nothing is asked about that.
 */
export function nextWave(rollout: Rollout, isAfterSkipped = false): boolean {
  const { state, at } = rollout;
  const { candidate } = state;
  if (candidate === null) return false;
  const { plan, wave, isHurried } = candidate;
  const index = isHurried ? plan.waves.length - 1 : wave + 1;
  const next = plan.waves[index];
  if (next === undefined) return false;
  const gate = gateOf(rollout, candidate, next.isManual);
  // Before it looks whom the wave would reach: nodes that join later get what is skipped, too.
  if (gate !== null) return wait(rollout, gate, index);
  const hasWaited = candidate.phase.type === 'waiting' && !candidate.isPromoted && !isAfterSkipped;
  if (hasWaited && !isChecked(rollout)) return bakeOn(rollout);
  const reach = extend(candidate.reach, next.nodes, () => membersOf(state, at));
  if (next.nodes.type !== 'everyone' && !addsAny(state, candidate.reach, reach)) {
    skip(rollout, index, reach);
    return nextWave(rollout, true);
  }
  begin(rollout, index, reach);
  return true;
}

function waitsFor({ phase }: Candidate, reason: WaitReason): boolean {
  return phase.type === 'waiting' && phase.reason === reason;
}

function addsAny({ nodes, muted }: RolloutState, before: Reach, after: Reach): boolean {
  return nodes.values().some(({ id, labels }) => !muted.has(id) && reaches(after, labels) && !reaches(before, labels));
}

function gateOf({ state, at }: Rollout, candidate: Candidate, isManual: boolean): Gate | null {
  if (isAtOnce(candidate)) return null;
  if (!candidate.isPromoted) {
    const nodes = awaitedNodes(state, candidate, at);
    if (nodes !== null) return nodes;
    if (isManual) return { reason: 'promotion', detail: null, until: null };
  }
  const frozen = freezeOf(state, at);
  return frozen && { reason: 'freeze', detail: frozen.reason, until: frozen.until };
}

/**
 * At the start, while nodes that were there before are not connected, or have not answered yet: a wave of those that are would be
 * another one.
 */
function awaitedNodes(state: RolloutState, { wave, nodesUntil, isResumed }: Candidate, at: number): Gate | null {
  const { members, settings } = state;
  const expected = expectedMembers(state);
  if ((wave >= 0 && !isResumed) || (members >= expected && !isAnyFresh(state))) return null;
  if (members > 0 && nodesUntil !== null && nodesUntil <= at) return null;
  const until = members === 0 ? null : (nodesUntil ?? at + settings.ackTimeoutMs);
  const detail = members < expected ? `${members} of ${expected} nodes are connected` : 'one has just connected';
  return { reason: 'nodes', detail, until };
}

function wait({ state, facts }: Rollout, { reason, detail, until }: Gate, index: number): false {
  const { candidate } = state;
  const wave = progressOf(state, index);
  if (candidate === null || wave === null) return false;
  const { version } = candidate;
  const nodesUntil = reason === 'nodes' ? until : candidate.nodesUntil;
  state.candidate = { ...candidate, nodesUntil, phase: { type: 'waiting', reason, until } };
  if (!waitsFor(candidate, reason)) facts.push({ type: 'wave_waits', version, reason, detail, until, wave });
  return false;
}

function skip({ state, facts }: Rollout, index: number, reach: Reach): void {
  if (state.candidate === null) return;
  state.candidate = { ...state.candidate, wave: index, reach, isPromoted: false };
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
  const offered = stage === null ? version : nameStage(state, version);
  const phase = { type: 'pushing', deadline: at + state.settings.ackTimeoutMs } as const;
  state.candidate = {
    ...state.candidate,
    ...{ startedAt: before === null ? at : startedAt, wave: index, waveAt: at, reach, stage, offered, phase },
    ...{ isPromoted: false, isResumed: false },
  };
  state.checks = createChecks(checks, at);
  ask(rollout);
  state.candidate = { ...state.candidate, asked: state.electorate?.size ?? 0 };
}

function nameStage(state: RolloutState, version: Version): Version {
  state.stages += 1;
  return `${version}.${state.stages}` as Version;
}

/** The wave's nodes have it: now it bakes. */
export function bake({ state, at, facts }: Rollout): void {
  const { candidate } = state;
  const current = candidate && waveOf(candidate);
  if (candidate === null || current === null) return;
  const ms = candidate.isHurried ? 0 : current.bakeMs;
  const until = at + ms;
  const needed = Math.min(quorumOf(state), state.tally.acked.size);
  state.candidate = { ...candidate, phase: { type: 'baking', until }, needed, isResumed: false };
  const wave = progressOf(state);
  if (ms > 0 && wave !== null)
    facts.push({ type: 'baking', version: candidate.version, until, ms, wave, counts: countNodes(state) });
}

/** What it waited for is over, and its checks don't pass any more: it bakes until they do. */
function bakeOn({ state, at, facts }: Rollout): false {
  const { candidate } = state;
  const wave = progressOf(state);
  if (candidate === null || wave === null) return false;
  state.candidate = { ...candidate, phase: { type: 'baking', until: at } };
  waitForData(state, at);
  facts.push({ type: 'baking', version: candidate.version, until: at, ms: 0, wave, counts: countNodes(state) });
  return false;
}

/** The bake is over, every check that has a say passes, and the nodes still have it. */
export function isBaked(rollout: Rollout): boolean {
  const { candidate } = rollout.state;
  if (candidate?.phase.type !== 'baking' || candidate.phase.until > rollout.at) return false;
  return !isWatched(candidate) || (isChecked(rollout) && isHeld(rollout.state));
}

/** A bake that is over waits a little for nodes that are gone. What they accepted may have been too much for them. */
export function pauseIfGone(rollout: Rollout): void {
  const { state, at } = rollout;
  const { candidate } = state;
  if (candidate?.phase.type !== 'baking' || candidate.phase.until + state.settings.ackTimeoutMs > at) return;
  if (!isWatched(candidate) || isHeld(state)) return;
  const why = `only ${countHolders(state)} of the ${candidate.asked} nodes that were asked still have it`;
  pause(rollout, { reason: 'unanswered', why });
}

/** Without a bake there was nothing to see. */
function isWatched(candidate: Candidate): boolean {
  return !candidate.isHurried && (waveOf(candidate)?.bakeMs ?? 0) > 0;
}

function isChecked({ state }: Rollout): boolean {
  const { candidate } = state;
  if (candidate === null || candidate.offered === null || !isWatched(candidate)) return true;
  return openChecks(state).length === 0;
}

function isHeld(state: RolloutState): boolean {
  return countHolders(state) >= (state.candidate?.needed ?? 0);
}
