import type { RolloutState } from './state.ts';

/** How many members are asked about the subject. */
export function membersAsked(state: RolloutState): number {
  const { electorate, gathering } = state;
  return Math.max(1, electorate?.size ?? Math.max(gathering.members, membersReached(state)));
}

/** Members that are connected and have a say about the subject. */
function membersReached({ candidate, members, nodes, muted }: RolloutState): number {
  if (candidate === null || candidate.reach.isEveryone) return members;
  const ids = new Set<string>();
  for (const { id, isReached } of nodes.values()) if (isReached && !muted.has(id)) ids.add(id);
  return ids.size;
}

/** How many ACKs prove the target. */
export function quorumOf(state: RolloutState): number {
  return Math.max(1, Math.ceil(state.settings.quorum * membersAsked(state)));
}

/** The live release is unproven, and the fleet may still be connecting. */
export function isGathering({ candidate, live, gathering }: RolloutState): boolean {
  return candidate === null && live?.proven === false && !gathering.isOver;
}

/** After a restart with a candidate: until the deadline, the nodes that are back first decide only with enough ACKs. */
export function isReturning(state: RolloutState): boolean {
  const { candidate, gathering, tally } = state;
  if (candidate?.isResumed !== true || candidate.phase.type !== 'pushing') return false;
  return gathering.members > membersReached(state) && tally.acked.size < quorumOf(state);
}
