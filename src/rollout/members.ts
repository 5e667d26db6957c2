import type { SessionId } from '../ids.ts';
import type { Members } from './reach.ts';
import { type RolloutNode, type RolloutState } from './state.ts';
import { voteOf } from './votes.ts';

/** The connected node.ids that are not muted. */
export function allMembers({ ids, muted }: RolloutState): Set<string> {
  return new Set([...ids.keys()].filter((id) => !muted.has(id)));
}

/** The same, and which of them a wave can rely on: a walk over the fleet. */
export function membersOf(state: RolloutState, at: number): Members {
  const { nodes } = state;
  const all = allMembers(state);
  const sound = [...nodes].filter(([session, node]) => isSound(state, [session, node], at)).map(([, { id }]) => id);
  return { all, sound: sound.length === 0 ? all : new Set(sound) };
}

/**
 * A node that has accepted something on this stream, does not refuse what it was sent last, nor is silent about it, and has not lost its
 * vote. With others a wave would try nothing, or be stopped at will.
 */
function isSound(state: RolloutState, [session, node]: readonly [SessionId, RolloutNode], at: number): boolean {
  const { answer, version } = node;
  const isSilent = answer === null && !state.waiting.has(session);
  if (version === null || answer === 'nack' || isSilent) return false;
  const vote = voteOf(state, node, at);
  return vote === 'full' || vote === 'new';
}

/** How many members a wave waits for at the start: as many as were there at one of the newest offers. */
export function expectedMembers({ offeredTo }: RolloutState): number {
  return Math.max(0, ...offeredTo);
}

/** A node has just connected, and has not answered yet. */
export function isAnyFresh({ waiting, nodes }: RolloutState): boolean {
  return waiting.keys().some((session) => nodes.get(session)?.version === null);
}

/** How many members have accepted what the candidate's waves offer, and are still connected. */
export function countHolders({ candidate, nodes, muted }: RolloutState): number {
  const ids = new Set<string>();
  for (const { id, answer, sent } of nodes.values())
    if (answer === 'ack' && sent === candidate?.offered && !muted.has(id)) ids.add(id);
  return ids.size;
}
