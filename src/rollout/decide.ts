import type { Version } from '../ids.ts';
import {
  countNodes,
  createTally,
  isGathering,
  isReturning,
  membersAsked,
  quorumOf,
  targetOf,
  type RolloutState,
} from './state.ts';
import type { Refusal, RolloutEffect, RolloutFact } from './types.ts';
import { countAll, countVote, credit } from './votes.ts';

/** The handling of one event: the state, the event's time, and the results so far. */
export interface Rollout {
  readonly state: RolloutState;
  readonly at: number;
  readonly facts: RolloutFact[];
  readonly effects: RolloutEffect[];
}

const maxPins = 1_000;
const maxOffers = 20;

/** Decides about the target once no answer is awaited. */
export function settle(rollout: Rollout): void {
  const { waiting, candidate, gathering } = rollout.state;
  const isDue = waiting.size === 0 || (candidate === null && gathering.isOver);
  if (isDue && !isReturning(rollout.state)) decide(rollout);
}

/** Enough ACKs prove the target. More refusals than ACKs roll it back. With neither, it is live unproven. */
export function decide(rollout: Rollout): void {
  const { state } = rollout;
  if (isProven(state) || targetOf(state) === null) return;
  const { acked, refused, shared } = state.tally;
  const [refusal = firstOf(shared)] = refused.values();
  if (acked.size >= quorumOf(state)) return prove(rollout);
  if (refusal && refused.size + shared.size > acked.size && !isAwaited(state)) return rollBack(rollout, refusal);
  if (state.candidate) goLiveUnproven(rollout);
}

function firstOf(refusals: ReadonlyMap<string, Refusal>): Refusal | undefined {
  const [first] = refusals.values();
  return first;
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
  const version = targetOf(state);
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

/** The target was refused: pin it, and put the last good release back. */
export function rollBack(rollout: Rollout, refusal: Refusal): void {
  const { state, facts } = rollout;
  const version = targetOf(state);
  if (version === null) return;
  pin(state, version, refusal);
  facts.push({ type: 'rolled_back', version, refusal, counts: countNodes(state) });
  if (state.candidate) forgetFallback(state, version);
  else fallBack(rollout);
  aim(rollout, null);
  settle(rollout);
}

function pin({ pins }: RolloutState, version: Version, refusal: Refusal): void {
  pins.set(version, refusal);
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

/** Makes a candidate (null: the live release) the target, and awaits an answer from each node that doesn't have it. */
export function aim(rollout: Rollout, candidate: Version | null): void {
  const { state, at } = rollout;
  const deadline = at + state.settings.ackTimeoutMs;
  const before = Math.max(membersAsked(state), state.members);
  state.candidate = candidate === null ? null : { version: candidate, deadline, isResumed: false };
  const target = targetOf(state);
  state.waiting = new Map();
  state.electorate = state.members === 0 ? null : new Set([...state.ids.keys()].filter((id) => !state.muted.has(id)));
  state.gathering = { members: state.members === 0 ? before : 0, until: null, isOver: false };
  state.tally = createTally();
  for (const [session, node] of state.nodes) {
    if (target === null || state.muted.has(node.id)) continue;
    if (node.sent === target && node.answer === 'ack') countVote(state, node, null);
    else state.waiting.set(session, deadline);
  }
  offer(rollout, target);
}

/** Offers it to all nodes; those that have it are sent nothing. */
export function offer({ state, at, facts, effects }: Rollout, version: Version | null): void {
  effects.push({ type: 'offer', version });
  state.awaited = version === null ? null : { version, at };
  if (version === null) return void facts.push({ type: 'nothing_to_offer' });
  state.pushes += 1;
  state.offeredTo.push(state.nodes.size);
  if (state.offeredTo.length > maxOffers) state.offeredTo.shift();
  facts.push({ type: 'offered', version, push: state.pushes, counts: countNodes(state) });
}

/** The target is the live release, and proven: no refusal rolls it back. */
export function isProven(state: RolloutState): boolean {
  return state.candidate === null && state.live?.proven === true;
}
