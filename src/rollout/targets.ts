import type { SessionId, Version } from '../ids.ts';
import { isAtOnce } from './candidate.ts';
import { reaches, type NodeLabels } from './reach.ts';
import type { RolloutNode, RolloutState } from './state.ts';
import type { Counts, NodeState, WaveProgress } from './types.ts';

/** The nodes by state. */
export function countNodes(state: RolloutState): Counts {
  const counts = { connected: state.nodes.size, acked: 0, pending: 0, refusing: 0, unanswered: 0 };
  for (const session of state.nodes.keys()) counts[nodeState(state, session)] += 1;
  return counts;
}

/** The commit that the fleet is to have in the end: the candidate, or the live release. */
export function aimOf({ candidate, live }: RolloutState): Version | null {
  return candidate?.version ?? live?.version ?? null;
}

/** What is offered to the nodes whose answers decide: a stage of the candidate or all of it, else the live release. */
export function subjectOf({ candidate, live }: RolloutState): Version | null {
  return candidate === null ? (live?.version ?? null) : candidate.offered;
}

/** The version on the wire that a node should have, or null before there is one: the same for the same labels in every process. */
export function targetOf(
  { candidate, live }: Pick<RolloutState, 'candidate' | 'live'>,
  node: NodeLabels,
): Version | null {
  const isReached = candidate !== null && reaches(candidate.reach, node);
  return (isReached ? candidate.offered : null) ?? live?.version ?? null;
}

/** The same for a connected node. */
export function targetOfNode({ candidate, live }: RolloutState, { isReached }: RolloutNode): Version | null {
  return (isReached ? candidate?.offered : null) ?? live?.version ?? null;
}

/** State of one node against its target. */
export function nodeState(state: RolloutState, session: SessionId): NodeState {
  const node = state.nodes.get(session);
  if (node?.answer === 'nack') return 'refusing';
  const target = node === undefined ? null : targetOfNode(state, node);
  if (node?.answer === 'ack' && node.sent === target) return 'acked';
  return state.waiting.has(session) || target === null ? 'pending' : 'unanswered';
}

/** The ids of the connected nodes that have been offered the candidate. */
export function reachedIds({ candidate, nodes }: RolloutState): Set<string> {
  if (candidate === null || candidate.offered === null) return new Set();
  return new Set(nodes.values().flatMap(({ id, isReached }) => (isReached ? [id] : [])));
}

/** How many streams they have. */
export function countReached({ candidate, nodes }: RolloutState): number {
  if (candidate === null || candidate.offered === null) return 0;
  return nodes.values().reduce((sum, { isReached }) => sum + Number(isReached), 0);
}

/** Where a gradual rollout is, for people; null: there is none. `wave`: the index of another of its waves. */
export function progressOf(state: RolloutState, wave = state.candidate?.wave ?? 0): WaveProgress | null {
  const { candidate } = state;
  if (candidate === null || isAtOnce(candidate)) return null;
  const { plan, stage } = candidate;
  const customers = stage && { percent: stage.cutover / 100, named: stage.first.length };
  return { strategy: plan.strategy, wave: wave + 1, waves: plan.waves.length, nodes: countReached(state), customers };
}
