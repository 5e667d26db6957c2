import { listSome } from '../config/words.ts';
import type { Version } from '../ids.ts';
import { isLastWave } from './candidate.ts';
import { ask } from './offer.ts';
import { type RolloutState } from './state.ts';
import { aimOf, countNodes, subjectOf } from './targets.ts';
import { isGathering, isReturning, membersAsked, quorumOf } from './quorum.ts';
import type { Rollout } from './turn.ts';
import type { Cause, Refusal } from './types.ts';
import { countAll, credit, isShared, strike } from './votes.ts';
import { pause } from './pause.ts';
import { bake, isBaked, nextWave, pauseIfGone } from './waves.ts';

const maxPins = 1_000;

/** Goes on as far as it can: decides once no answer is awaited, ends what has baked, begins waves that may begin. */
export function settle(rollout: Rollout): void {
  do {
    const { waiting, candidate, gathering } = rollout.state;
    const isDue = waiting.size === 0 || (candidate === null && gathering.isOver);
    if (isDue && !isReturning(rollout.state)) decide(rollout);
  } while (goOn(rollout));
}

/** Whether a wave was begun, about which there may be something to decide already. */
function goOn(rollout: Rollout): boolean {
  const { candidate } = rollout.state;
  if (candidate === null || candidate.paused !== null) return false;
  if (candidate.phase.type === 'waiting') return nextWave(rollout);
  if (isBaked(rollout)) return endWave(rollout);
  pauseIfGone(rollout);
  return false;
}

/** After the last wave it is live. Returns whether another one has begun. */
export function endWave(rollout: Rollout): boolean {
  const { state } = rollout;
  if (state.candidate === null) return false;
  if (!isLastWave(state.candidate)) return nextWave(rollout);
  if (state.tally.acked.size >= quorumOf(state)) prove(rollout);
  else goLiveUnproven(rollout);
  return false;
}

/**
 * With enough ACKs the subject is good: a candidate's wave bakes, the live release is proven. More refusals than ACKs roll it back. With
 * neither, the last wave goes on, unproven; any other is paused at its deadline.
 */
export function decide(rollout: Rollout): void {
  const { state } = rollout;
  const { candidate } = state;
  if (isProven(state) || subjectOf(state) === null || (candidate !== null && candidate.phase.type !== 'pushing'))
    return;
  const { acked, refused, shared } = state.tally;
  const [refusal = shared.values().next().value] = refused.values();
  const isEnough = acked.size >= quorumOf(state);
  if (!isEnough && refusal && refused.size + shared.size > acked.size && !isAwaited(state))
    return refuse(rollout, refusal);
  if (candidate === null) return isEnough ? prove(rollout) : undefined;
  if (candidate.paused !== null || candidate.phase.type !== 'pushing') return;
  if (isEnough || isLastWave(candidate)) return bake(rollout);
  if (candidate.phase.deadline > rollout.at) return; // one that has gone may come back
  const why = `only ${acked.size} of ${membersAsked(state)} nodes have accepted it${describeSilent(state)}`;
  pause(rollout, { reason: 'unanswered', why });
}

function describeSilent({ electorate, tally }: RolloutState): string {
  const silent = [...(electorate ?? [])].filter((id) => !tally.acked.has(id));
  return silent.length === 0 ? '' : `, not ${listSome(silent)}`;
}

/** After a restart, until the fleet is back: a few nodes can't refuse for all. */
function isAwaited(state: RolloutState): boolean {
  return isGathering(state) && state.gathering.members > state.members;
}

function prove(rollout: Rollout): void {
  goLive(rollout, true);
}

/** From here on every connected node counts, and as many are expected as there were. */
function goLiveUnproven(rollout: Rollout): void {
  const { state, at } = rollout;
  const { electorate, gathering } = state;
  goLive(rollout, false);
  const members = electorate?.size ?? gathering.members;
  const until = electorate === null && state.members === 0 ? null : at + state.settings.ackTimeoutMs;
  state.gathering = { members, until, isOver: false };
  countAll(state);
  settle(rollout);
}

function goLive(rollout: Rollout, proven: boolean): void {
  const { state, at, facts } = rollout;
  const { live, candidate } = state;
  const version = aimOf(state);
  if (version === null) return;
  const isNew = candidate !== null;
  const since = isNew || live === null ? at : live.since;
  state.live = proven ? { version, since, proven } : { version, since, proven, fallback: fallbackOf(state) };
  state.candidate = null;
  const isSettled = state.awaited === null;
  facts.push({
    ...{ type: 'live', version, since, proven, isNew, isSettled },
    ...{ push: state.pushes, counts: countNodes(state) },
  });
  if (!isNew) return; // nodes that accepted it were credited already
  for (const node of state.nodes.values())
    if (node.answer === 'ack' && node.version === version) credit(state, node, at);
}

/** The newest proven release. */
function fallbackOf({ live }: RolloutState): Version | null {
  if (live === null) return null;
  return live.proven ? live.version : live.fallback;
}

/** Too many refuse the subject. A few nodes of a wave speak for the whole fleet: it costs the vote of the one that is named. */
export function refuse(rollout: Rollout, refusal: Refusal): void {
  const { state } = rollout;
  const isFew = state.candidate?.reach.isEveryone === false && state.members > membersAsked(state);
  rollBack(rollout, { type: 'refused', ...refusal });
  const node = isFew ? state.nodes.values().find(({ id }) => id === refusal.node) : undefined;
  if (node !== undefined && !isShared(state, node.id)) strike(state, node);
}

/** The subject is bad: pin its commit, and put the last good release back on all that have it. */
export function rollBack(rollout: Rollout, cause: Cause): void {
  const { state, facts } = rollout;
  const version = aimOf(state);
  if (version === null) return;
  pin(state, version, cause);
  facts.push({ type: 'rolled_back', version, cause, counts: countNodes(state) });
  if (state.candidate) forgetFallback(state, version);
  else fallBack(rollout);
  aimAtLive(rollout);
}

/** Calls off the candidate, if there is one. */
export function aimAtLive(rollout: Rollout): void {
  rollout.state.candidate = null;
  rollout.state.checks.clear();
  ask(rollout);
  settle(rollout);
}

function pin({ pins }: RolloutState, version: Version, cause: Cause): void {
  pins.set(version, cause);
  const [oldest] = pins.keys();
  if (pins.size > maxPins && oldest !== undefined) pins.delete(oldest);
}

/** A release that is refused now can't be the fallback, though it was proven once. */
function forgetFallback(state: RolloutState, refused: Version): void {
  const { live } = state;
  if (live?.proven === false && live.fallback === refused) state.live = { ...live, fallback: null };
}

/** The live release, still unproven, was refused: the newest proven one replaces it, if there is one. */
function fallBack({ state, at, facts }: Rollout): void {
  const { live } = state;
  const version = live?.proven === false && live.fallback !== live.version ? live.fallback : null;
  state.live = version === null ? null : { version, since: at, proven: true };
  if (version === null) return void facts.push({ type: 'nothing_live' });
  const { pushes: push } = state;
  facts.push({
    ...{ type: 'live', version, since: at, proven: true, isNew: false, isSettled: false },
    ...{ push, counts: countNodes(state) },
  });
}

/** The target is the live release, and proven: no refusal rolls it back. */
export function isProven(state: RolloutState): boolean {
  return state.candidate === null && state.live?.proven === true;
}
