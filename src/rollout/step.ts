import type { SessionId, Version } from '../ids.ts';
import { commitOf, createCandidate } from './candidate.ts';
import { command, endFreeze } from './commands.ts';
import { aimAtLive, decide, isProven, refuse, rollBack, settle } from './decide.ts';
import { ask, offer } from './offer.ts';
import { allAtOnce } from './plan.ts';
import { reaches, type NodeLabels } from './reach.ts';
import type { RolloutNode, RolloutState } from './state.ts';
import { aimOf, countNodes, progressOf, subjectOf, targetOfNode } from './targets.ts';
import { frozenAt } from './frozen.ts';
import { isGathering, isReturning, membersAsked } from './quorum.ts';
import { voteOf } from './votes.ts';
import type { Rollout } from './turn.ts';
import type { Refusal, RolloutEffect, RolloutEvent, RolloutFact } from './types.ts';
import { hear, pauseIfSilent } from './verdicts.ts';
import { countAll, countStream, countVote, credit, mute, strike, unmute } from './votes.ts';

/**
 * Applies one event to `state`, in place; returns facts (what happened) and effects (what to do), each in order. docs/rollout.md has
 * the transitions. Does no I/O and reads no clock.
 */
export function step(
  state: RolloutState,
  event: RolloutEvent,
): { readonly facts: RolloutFact[]; readonly effects: RolloutEffect[] } {
  const rollout: Rollout = { state, at: event.at, facts: [], effects: [] };
  apply(rollout, event);
  end(rollout);
  return rollout;
}

function apply(rollout: Rollout, event: RolloutEvent): void {
  switch (event.type) {
    case 'release':
      return release(rollout, event);
    case 'retry':
      return retry(rollout, event);
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
    case 'mute':
      rollout.facts.push({ type: 'muted', node: event.node, by: event.by });
      mute(rollout.state, event.node);
      return settle(rollout);
    case 'unmute':
      rollout.facts.push({ type: 'unmuted', node: event.node, by: event.by });
      unmute(rollout.state, event.node);
      return settle(rollout);
    case 'check': {
      const cause = hear(rollout, event);
      return cause === null ? settle(rollout) : rollBack(rollout, cause);
    }
    case 'tick':
      return tick(rollout);
    default:
      return command(rollout, event);
  }
}

/** Reports once that every awaited answer has come or timed out. */
function end({ state, at, facts }: Rollout): void {
  const { awaited, waiting, pushes: push } = state;
  if (awaited === null || waiting.size > 0 || isReturning(state)) return;
  state.awaited = null;
  const counts = countNodes(state);
  const { version } = awaited;
  state.settled = { version, isClean: counts.refusing + counts.unanswered === 0 };
  facts.push({ type: 'settled', version, push, ms: at - awaited.at, counts, wave: progressOf(state) });
}

type Release = Extract<RolloutEvent, { type: 'release' | 'retry' }>;

function release(rollout: Rollout, { version, plan = allAtOnce, isAccepted = false }: Release): void {
  const { state, at, facts } = rollout;
  const cause = state.pins.get(version);
  if (cause) return void facts.push({ type: 'still_pinned', version, cause });
  if (version === aimOf(state)) return;
  const before = state.candidate;
  if (before) facts.push({ type: 'superseded', version: before.version });
  // Back to the live release while another was on its way: nothing to prove again.
  if (version === state.live?.version) return aimAtLive(rollout);
  // With nothing live there is nothing that other nodes could keep.
  const { checks = [] } = state.settings;
  const candidate = createCandidate(version, state.live === null ? allAtOnce : plan, checks, at);
  state.candidate = { ...candidate, freed: isAccepted ? frozenAt(state, at) : null };
  state.checks.clear();
  settle(rollout);
  // It has to wait, and the one before it must not.
  const isWaiting = subjectOf(state) === null;
  if (before !== null && before.offered !== null && isWaiting) ask(rollout);
}

/** An operator unpins a version; if it is the target, the nodes that refuse it are asked again. */
function retry(rollout: Rollout, event: Release): void {
  const { state, facts } = rollout;
  const { version } = event;
  if (state.pins.delete(version)) facts.push({ type: 'unpinned', version });
  if (version === aimOf(state)) return askAgain(rollout);
  release(rollout, event);
}

/** Offers the target again, and awaits the nodes that refuse it. */
function askAgain(rollout: Rollout): void {
  const { state, at } = rollout;
  for (const [session, node] of state.nodes) {
    if (node.answer !== 'nack' || state.muted.has(node.id)) continue;
    state.waiting.delete(session); // to the end: the map is in order of deadline
    state.waiting.set(session, at + state.settings.ackTimeoutMs);
  }
  offer(rollout);
}

function joined(rollout: Rollout, event: { session: SessionId; node: NodeLabels; client?: string | null }): void {
  const { state, at } = rollout;
  const { candidate } = state;
  const node: RolloutNode = {
    id: event.node.id,
    labels: event.node,
    isReached: candidate !== null && reaches(candidate.reach, event.node),
    client: event.client ?? null,
    sent: null,
    answer: null,
    version: null,
    refusal: null,
    heldSince: null,
  };
  state.nodes.set(event.session, node);
  countStream(state, node.id, 1);
  if (state.muted.has(node.id)) return;
  const deadline = at + state.settings.ackTimeoutMs;
  if (targetOfNode(state, node) !== null) state.waiting.set(event.session, deadline);
  if (isGathering(state)) state.gathering = { ...state.gathering, until: state.gathering.until ?? deadline };
  if (candidate?.phase.type === 'waiting') settle(rollout); // it may be what a wave waits for
}

function left(rollout: Rollout, session: SessionId): void {
  const { state } = rollout;
  const node = state.nodes.get(session);
  if (node === undefined) return;
  state.nodes.delete(session);
  state.waiting.delete(session);
  countStream(state, node.id, -1);
  settle(rollout);
}

function sent(rollout: Rollout, event: { session: SessionId; version: Version }): void {
  const node = rollout.state.nodes.get(event.session);
  if (node === undefined) return;
  node.sent = event.version;
  node.answer = null;
}

function acked(rollout: Rollout, event: { session: SessionId; version: Version }): void {
  const { state, at } = rollout;
  const node = state.nodes.get(event.session);
  if (node === undefined) return;
  node.answer = 'ack';
  node.sent = event.version; // it may have had this before the stream, so that nothing was sent
  node.version = event.version;
  node.refusal = null;
  if (event.version === state.live?.version) credit(state, node, at);
  if (event.version !== targetOfNode(state, node)) return;
  state.waiting.delete(event.session);
  if (event.version === subjectOf(state)) countVote(state, node, null);
  settle(rollout);
}

type Nacked = Extract<RolloutEvent, { type: 'nacked' }>;

function nacked(rollout: Rollout, event: Nacked): void {
  const { state, at, facts } = rollout;
  const node = state.nodes.get(event.session);
  if (node === undefined) return;
  const { code, message, place = null } = event;
  const refusal: Refusal = { node: node.id, code, message, place };
  const vote = voteOf(state, node, at);
  node.answer = 'nack';
  node.refusal = refusal;
  node.heldSince = null;
  facts.push({ type: 'refused', version: commitOf(event.version), refusal });
  if (event.version !== targetOfNode(state, node)) return;
  state.waiting.delete(event.session);
  if (isProven(state) || event.version !== subjectOf(state)) return settle(rollout);
  if (vote === 'full') return veto(rollout, node, refusal);
  countVote(state, node, refusal);
  if (2 * state.tally.refused.size > membersAsked(state)) return refuse(rollout, refusal);
  settle(rollout);
}

/** One node rolls the target back alone, and loses its full vote for a while, unless it is the only member. */
function veto(rollout: Rollout, node: RolloutNode, refusal: Refusal): void {
  rollBack(rollout, { type: 'refused', ...refusal });
  if (rollout.state.members > 1) strike(rollout.state, node);
}

/** Stops waiting for silent nodes; a candidate past its deadline is decided by those that answered. */
function tick(rollout: Rollout): void {
  const { state, at, facts } = rollout;
  for (const [session, deadline] of state.waiting) {
    if (deadline > at) break;
    state.waiting.delete(session);
    const node = state.nodes.get(session);
    const version = node === undefined ? null : targetOfNode(state, node);
    if (node && version !== null) facts.push({ type: 'unanswered', version: commitOf(version), node: node.id });
  }
  const { candidate } = state;
  const isOverdue = candidate?.phase.type === 'pushing' && candidate.phase.deadline <= at;
  const isGathered = isGathering(state) && state.gathering.until !== null && state.gathering.until <= at;
  if (isGathered) {
    state.gathering = { members: 0, until: null, isOver: true };
    countAll(state);
  }
  endFreeze(rollout);
  if (isOverdue) decide(rollout);
  settle(rollout);
  pauseIfSilent(rollout);
}
