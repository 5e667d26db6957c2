import { allMembers, membersOf } from './members.ts';
import { reaches } from './reach.ts';
import { createTally, type RolloutState } from './state.ts';
import { aimOf, countNodes, progressOf, reachedIds, subjectOf, targetOfNode } from './targets.ts';
import { membersAsked } from './quorum.ts';
import type { Rollout } from './turn.ts';
import { countVote } from './votes.ts';

const maxOffers = 20;

/** Offers each node its target, and asks those that are offered the subject about it. Awaits an answer from each that doesn't have its own. */
export function ask(rollout: Rollout): void {
  const { state, at } = rollout;
  const deadline = at + state.settings.ackTimeoutMs;
  const before = Math.max(membersAsked(state), state.members);
  markReached(state);
  state.electorate = state.members === 0 ? null : electorateOf(state, at);
  state.waiting = new Map();
  state.gathering = { members: state.members === 0 ? before : 0, until: null, isOver: false };
  state.tally = createTally();
  const subject = subjectOf(state);
  for (const [session, node] of state.nodes) {
    const target = targetOfNode(state, node);
    if (target === null || state.muted.has(node.id)) continue;
    if (node.sent !== target || node.answer !== 'ack') state.waiting.set(session, deadline);
    else if (target === subject) countVote(state, node, null);
  }
  offer(rollout);
}

function markReached({ candidate, nodes }: RolloutState): void {
  const reach = candidate?.reach;
  for (const node of nodes.values())
    node.isReached = reach !== undefined && (reach.isEveryone || reaches(reach, node.labels));
}

/** About all of the fleet all members are asked; about a part of it only those that can be relied on, if there are any. */
function electorateOf(state: RolloutState, at: number): Set<string> {
  const { candidate } = state;
  if (candidate === null || candidate.reach.isEveryone) return allMembers(state);
  const { all, sound } = membersOf(state, at);
  const reached = reachedIds(state);
  const relied = reached.intersection(sound);
  return relied.size > 0 ? relied : reached.intersection(all);
}

/** Offers each node its target; those that have it are sent nothing. */
export function offer({ state, at, facts, effects }: Rollout): void {
  // A candidate that has to wait is offered to nobody.
  const isWaiting = state.candidate !== null && state.candidate.offered === null;
  const version = isWaiting ? (state.live?.version ?? null) : aimOf(state);
  effects.push({ type: 'offer', version });
  state.awaited = version === null ? null : { version, at };
  if (version === null) return void facts.push({ type: 'nothing_to_offer' });
  state.pushes += 1;
  state.offeredTo.push(state.members);
  if (state.offeredTo.length > maxOffers) state.offeredTo.shift();
  const wave = isWaiting ? null : progressOf(state);
  facts.push({ type: 'offered', version, push: state.pushes, counts: countNodes(state), wave });
}
