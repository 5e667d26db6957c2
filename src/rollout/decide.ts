import { createTally, isGathering, membersAsked, quorumOf, targetOf, type RolloutState } from './state.ts';
import type { Live, Refusal, RolloutAction } from './types.ts';
import { count, countAll, credit } from './votes.ts';

/** A step in hand: the state, the time of its event, and what it wants done so far. */
export interface Rollout {
  readonly state: RolloutState;
  readonly at: number;
  readonly act: (action: RolloutAction) => void;
}

/** Decides the target once nobody is waited for. */
export function settle(rollout: Rollout): void {
  const { waiting, candidate, gathering } = rollout.state;
  if (waiting.size === 0 || (candidate === null && gathering.isOver)) decide(rollout);
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

/** As many as there were before have not come back yet: a few can't refuse for all. */
function isAwaited(state: RolloutState): boolean {
  return isGathering(state) && state.gathering.members > state.members;
}

function prove(rollout: Rollout): void {
  goLive(rollout, true);
  rollout.state.proven = targetOf(rollout.state);
}

/** From here on all that are there are counted, and as many are expected as there were. */
function goLiveUnproven(rollout: Rollout): void {
  const { state, at } = rollout;
  const { electorate, gathering } = state;
  goLive(rollout, false);
  const members = electorate?.size ?? gathering.members;
  const until = electorate === null ? null : at + state.settings.ackTimeoutMs;
  state.gathering = { members, until, isOver: false };
  countAll(state);
  settle(rollout);
}

function goLive(rollout: Rollout, proven: boolean): void {
  const { state, at, act } = rollout;
  const version = targetOf(state);
  if (version === null) return;
  const isNew = state.candidate !== null;
  const since = isNew || !state.live ? at : state.live.since;
  if (isNew) act({ type: 'outcome', version, outcome: 'live' });
  state.candidate = null;
  setLive(rollout, { version, since, proven });
  if (!isNew) return; // who has accepted it has been credited with it
  for (const node of state.nodes.values())
    if (node.answer === 'ack' && node.version === version) credit(state, node, at);
}

/** The target was refused: pin it, and put the last good release back. */
export function rollBack(rollout: Rollout, refusal: Refusal): void {
  const { state, act } = rollout;
  const refused = targetOf(state);
  if (refused === null) return;
  state.pins.set(refused, refusal);
  if (state.proven === refused) state.proven = null;
  act({ type: 'pinned', version: refused, refusal });
  act({ type: 'outcome', version: refused, outcome: 'rolled_back' });
  if (!state.candidate) fallBack(rollout);
  aim(rollout, null);
  settle(rollout);
}

/** The live release itself, unproven, was refused: the newest proven one takes its place, if there is one. */
function fallBack(rollout: Rollout): void {
  const { state, at } = rollout;
  setLive(rollout, state.proven === null ? null : { version: state.proven, since: at, proven: true });
}

/** Points the fleet at a candidate, or at the live release (null), and waits for whoever does not hold it yet. */
export function aim(rollout: Rollout, candidate: string | null): void {
  const { state, at, act } = rollout;
  const deadline = at + state.settings.ackTimeoutMs;
  const before = Math.max(membersAsked(state), state.members);
  state.candidate = candidate === null ? null : { version: candidate, deadline };
  const target = targetOf(state);
  state.waiting = new Map();
  state.electorate = state.members === 0 ? null : new Set([...state.ids.keys()].filter((id) => !state.muted.has(id)));
  state.gathering = { members: state.members === 0 ? before : 0, until: null, isOver: false };
  state.tally = createTally();
  for (const [session, node] of state.nodes) {
    if (target === null || state.muted.has(node.id)) continue;
    if (node.sent === target && node.answer === 'ack') count(state, node, null);
    else state.waiting.set(session, deadline);
  }
  act({ type: 'offer', version: target });
}

/** The target is the live release, and proven: no refusal takes it back. */
export function isProven(state: RolloutState): boolean {
  return state.candidate === null && state.live?.proven === true;
}

function setLive(rollout: Rollout, live: Live | null): void {
  rollout.state.live = live;
  rollout.act({ type: 'live', live });
}
