import type { Live, NodeState, Refusal } from './types.ts';

/** One node's stream, as the rollout sees it. */
export interface RolloutNode {
  /** xDS node.id. */
  readonly id: string;
  /** The version of the newest push to it. */
  sent: string | null;
  /** Its answer to that push. */
  answer: 'ack' | 'nack' | null;
  /** The last version that it accepted. */
  version: string | null;
  refusal: Refusal | null;
  /** It refused the live release, and has accepted nothing since: its NACK alone says nothing about another. */
  excused: boolean;
}

/** All of a rollout. Owned by the caller and updated in place by `step`: copying 5,000 nodes for each ACK is too dear. */
export interface RolloutState {
  readonly ackTimeoutMs: number;
  live: Live | null;
  /** Where an unproven live release falls back to: the newest proven one. */
  proven: string | null;
  candidate: { readonly version: string; readonly deadline: number } | null;
  /** Versions that were refused, and by whom. */
  readonly pins: Map<string, Refusal>;
  /** By session. */
  readonly nodes: Map<string, RolloutNode>;
  /** Sessions whose answer is awaited, with its deadline; in order of deadline, since all wait equally long. */
  waiting: Map<string, number>;
  /** ACKs of the target, and the first NACK of it that did not roll it back. */
  tally: { acked: number; refusal: Refusal | null };
}

/** What is remembered from before a restart. */
export interface RolloutMemory {
  readonly live: Live | null;
  readonly proven: string | null;
  readonly pins: ReadonlyMap<string, Refusal>;
}

/** A rollout with nobody connected. `ackTimeoutMs`: how long a silent node is waited for. */
export function createRollout(ackTimeoutMs: number, memory?: RolloutMemory): RolloutState {
  return {
    ackTimeoutMs,
    live: memory?.live ?? null,
    proven: memory?.proven ?? null,
    candidate: null,
    pins: new Map(memory?.pins),
    nodes: new Map(),
    waiting: new Map(),
    tally: { acked: 0, refusal: null },
  };
}

/** The version that every node shall have, or null before there is one. */
export function targetOf(state: RolloutState): string | null {
  return state.candidate?.version ?? state.live?.version ?? null;
}

/** State of one node against the target. */
export function nodeState(state: RolloutState, session: string): NodeState {
  const node = state.nodes.get(session);
  if (node?.answer === 'nack') return 'refusing';
  if (node?.answer === 'ack' && node.sent === targetOf(state)) return 'acked';
  return state.waiting.has(session) || targetOf(state) === null ? 'pending' : 'unanswered';
}

/** When `tick` is due (milliseconds since the epoch), or null when nothing is awaited. */
export function nextDeadline(state: RolloutState): number | null {
  const [first = Infinity] = state.waiting.values();
  const due = Math.min(first, state.candidate?.deadline ?? Infinity);
  return due === Infinity ? null : due;
}
