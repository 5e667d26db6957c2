import type { RolloutNode, RolloutState } from './state.ts';
import { targetOf } from './state.ts';
import type { Live, Refusal, RolloutAction, RolloutEvent } from './types.ts';

/**
 * One event of a rollout (all nodes at once): moves `state`, in place, and returns what is to be done, in order.
 * The transitions are written down in docs/rollout.md. Does no I/O and reads no clock.
 */
export function step(state: RolloutState, event: RolloutEvent): RolloutAction[] {
  const actions: RolloutAction[] = [];
  const rollout = { state, at: event.at, act: (action: RolloutAction) => void actions.push(action) };
  apply(rollout, event);
  return actions;
}

interface Rollout {
  readonly state: RolloutState;
  readonly at: number;
  readonly act: (action: RolloutAction) => void;
}

function apply(rollout: Rollout, event: RolloutEvent): void {
  switch (event.type) {
    case 'release':
      return release(rollout, event.version);
    case 'retry':
      return retry(rollout, event.version);
    case 'joined':
      return joined(rollout, event);
    case 'left':
      return left(rollout, event.session);
    case 'sent':
      return sent(rollout, event);
    case 'acked':
      return acked(rollout, event);
    case 'nacked':
      return nacked(rollout, event);
    case 'tick':
      return tick(rollout);
  }
}

/** A valid revision is to be rolled out. */
function release(rollout: Rollout, version: string): void {
  const { state, act } = rollout;
  const pin = state.pins.get(version);
  if (pin !== undefined) return act({ type: 'still_pinned', version, refusal: pin });
  if (version === targetOf(state)) return;
  if (state.candidate) act({ type: 'outcome', version: state.candidate.version, outcome: 'superseded' });
  // Back to the live release while another was on its way: nothing to prove again.
  const isLive = version === state.live?.version;
  aim(rollout, isLive ? null : version);
  settle(rollout);
}

/** An operator takes a pin back; on the live release it asks the nodes that refuse it once more. */
function retry(rollout: Rollout, version: string): void {
  const { state, act } = rollout;
  if (state.pins.delete(version)) act({ type: 'unpinned', version });
  if (version === targetOf(state)) return ask(rollout, version);
  release(rollout, version);
}

/** Offers the target once more: who refuses it is awaited again. */
function ask({ state, at, act }: Rollout, version: string): void {
  for (const [session, node] of state.nodes) {
    if (node.answer !== 'nack') continue;
    state.waiting.delete(session); // to the end: they are in order of deadline
    state.waiting.set(session, at + state.ackTimeoutMs);
  }
  act({ type: 'offer', version });
}

function joined(rollout: Rollout, event: { session: string; node: string }): void {
  const { state, at } = rollout;
  const node: RolloutNode = {
    id: event.node,
    sent: null,
    answer: null,
    version: null,
    refusal: null,
    excused: false,
  };
  state.nodes.set(event.session, node);
  if (targetOf(state) !== null) state.waiting.set(event.session, at + state.ackTimeoutMs);
}

function left(rollout: Rollout, session: string): void {
  rollout.state.nodes.delete(session);
  rollout.state.waiting.delete(session);
  settle(rollout);
}

function sent(rollout: Rollout, event: { session: string; version: string }): void {
  const node = rollout.state.nodes.get(event.session);
  if (node === undefined) return;
  node.sent = event.version;
  node.answer = null;
}

function acked(rollout: Rollout, event: { session: string; version: string }): void {
  const { state } = rollout;
  const node = state.nodes.get(event.session);
  if (node === undefined) return;
  node.answer = 'ack';
  node.sent = event.version; // or taken before this stream, and not sent again
  node.version = event.version;
  node.refusal = null;
  node.excused = false;
  if (event.version !== targetOf(state)) return;
  state.waiting.delete(event.session);
  state.tally.acked += 1;
  settle(rollout);
}

function nacked(rollout: Rollout, event: { session: string; version: string; code: number; message: string }): void {
  const { state, act } = rollout;
  const node = state.nodes.get(event.session);
  if (node === undefined) return;
  const refusal: Refusal = { node: node.id, code: event.code, message: event.message };
  node.answer = 'nack';
  node.refusal = refusal;
  act({ type: 'refused', version: event.version, refusal });
  if (event.version !== targetOf(state)) return;
  state.waiting.delete(event.session);
  if (isProven(state)) return;
  if (!node.excused) return rollBack(rollout, refusal);
  state.tally.refusal ??= refusal;
  settle(rollout);
}

/** The silent ones are no longer waited for; a candidate whose time is over is decided by who has answered. */
function tick(rollout: Rollout): void {
  const { state, at, act } = rollout;
  const version = targetOf(state);
  for (const [session, deadline] of state.waiting) {
    if (deadline > at) break;
    state.waiting.delete(session);
    const node = state.nodes.get(session);
    if (node && version !== null) act({ type: 'unanswered', version, node: node.id });
  }
  if (state.candidate && state.candidate.deadline <= at) decide(rollout);
  else settle(rollout);
}

/** Decides the target once nobody is waited for. */
function settle(rollout: Rollout): void {
  if (rollout.state.waiting.size === 0) decide(rollout);
}

/** An ACK proves the target. With none, a refusal counts even from a node that refused before; with neither, it is live unproven. */
function decide(rollout: Rollout): void {
  const { state } = rollout;
  if (isProven(state) || targetOf(state) === null) return;
  if (state.tally.acked > 0) return goLive(rollout, true);
  if (state.tally.refusal) return rollBack(rollout, state.tally.refusal);
  if (state.candidate) goLive(rollout, false);
}

function goLive(rollout: Rollout, proven: boolean): void {
  const { state, act } = rollout;
  const version = targetOf(state);
  if (version === null) return;
  const since = state.candidate || !state.live ? rollout.at : state.live.since;
  if (state.candidate) act({ type: 'outcome', version, outcome: 'live' });
  state.candidate = null;
  if (proven) state.proven = version;
  setLive(rollout, { version, since, proven });
}

/** The target was refused: pin it, and put the last good release back. */
function rollBack(rollout: Rollout, refusal: Refusal): void {
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
function aim(rollout: Rollout, candidate: string | null): void {
  const { state, at, act } = rollout;
  const deadline = at + state.ackTimeoutMs;
  state.candidate = candidate === null ? null : { version: candidate, deadline };
  const target = targetOf(state);
  state.waiting = new Map();
  state.tally = { acked: 0, refusal: null };
  for (const [session, node] of state.nodes) {
    node.excused ||= node.answer === 'nack' && node.sent === state.live?.version;
    if (target === null) continue;
    if (node.sent === target && node.answer === 'ack') state.tally.acked += 1;
    else state.waiting.set(session, deadline);
  }
  act({ type: 'offer', version: target });
}

function isProven(state: RolloutState): boolean {
  return state.candidate === null && state.live?.proven === true;
}

function setLive(rollout: Rollout, live: Live | null): void {
  rollout.state.live = live;
  rollout.act({ type: 'live', live });
}
