import type { SessionId, Version } from '../ids.ts';
import type { Counts, Live, NodeState, Refusal, Vote } from './types.ts';

/** One node's stream, as the rollout sees it. */
export interface RolloutNode {
  /** xDS node.id. */
  readonly id: string;
  /** Where its stream comes from: a certificate or an address. Null: unknown. */
  readonly client: string | null;
  /** The version of the newest push to it. */
  sent: Version | null;
  /** Its answer to that push. */
  answer: 'ack' | 'nack' | null;
  /** The last version that it accepted. */
  version: Version | null;
  refusal: Refusal | null;
  /** Since when it has run accepted releases without refusing one. Null: it doesn't. */
  heldSince: number | null;
}

/** A node whose word alone has rolled a release back. */
export interface Strikes {
  /** How often it did. */
  count: number;
  /** How many more releases it has to accept before its word alone counts again. */
  owed: number;
  /** The last release that it accepted: each counts once. */
  last: Version | null;
}

export interface RolloutSettings {
  /** How long to wait for a node's answer. */
  readonly ackTimeoutMs: number;
  /** Part of the members (0 to 1) whose ACKs prove a release. */
  readonly quorum: number;
  /** How long a node must have held an accepted release before its word alone rolls one back. */
  readonly voteAfterMs: number;
}

/** The release that is being rolled out. `isResumed`: it was offered before a restart, and the fleet is not back yet. */
export interface Candidate {
  readonly version: Version;
  readonly deadline: number;
  readonly isResumed: boolean;
}

/** Owned by the caller and updated in place by `step`: copying 5,000 nodes for each ACK would be too slow. */
export interface RolloutState {
  readonly settings: RolloutSettings;
  live: Live | null;
  candidate: Candidate | null;
  /** Versions that were refused, and by whom. */
  readonly pins: Map<Version, Refusal>;
  /** By session. */
  readonly nodes: Map<SessionId, RolloutNode>;
  /** How many streams each connected node.id has. */
  readonly ids: Map<string, number>;
  /** Connected node.ids that are not muted. */
  members: number;
  /** node.ids whose vote an operator has taken away. */
  readonly muted: Set<string>;
  /** By node.id; the oldest is forgotten first. */
  readonly strikes: Map<string, Strikes>;
  /** By client, which may have any number of node.ids; with the same bound. */
  readonly clientStrikes: Map<string, Strikes>;
  /** Sessions whose answer is awaited, with the deadline; in order of deadline, since all get the same time. */
  waiting: Map<SessionId, number>;
  /** Members connected when the target was offered: only they count. Null: all do. */
  electorate: Set<string> | null;
  /** Answers to the target, by node.id. */
  tally: Tally;
  gathering: Gathering;
  /** The number of the last offer; it survives restarts. */
  pushes: number;
  /** The offer that is awaited. `at`: milliseconds since the epoch. */
  awaited: { readonly version: Version; readonly at: number } | null;
  /** How many nodes each of the newest offers was made to. */
  readonly offeredTo: number[];
  settled: RolloutMemory['settled'];
}

export interface Tally {
  readonly acked: Set<string>;
  readonly refused: Map<string, Refusal>;
  /** Refusals under a node.id that several streams have, so possibly a stranger's: they count only once no answer is awaited. */
  readonly shared: Map<string, Refusal>;
}

/** No answer yet. */
export function createTally(): Tally {
  return { acked: new Set(), refused: new Map(), shared: new Map() };
}

/** Several streams have this node.id. */
export function isShared(state: RolloutState, id: string): boolean {
  return (state.ids.get(id) ?? 0) > 1;
}

/** A release went live before enough nodes could answer: waits for the fleet to connect. */
export interface Gathering {
  /** How many are expected: as many as there were before. */
  readonly members: number;
  /** `ackTimeoutMs` after the first node connects; null: none has. */
  readonly until: number | null;
  /** The time is over: the connected nodes decide. */
  readonly isOver: boolean;
}

/** The durable part, as plain JSON. */
export interface RolloutMemory {
  readonly live: Live | null;
  /** The version that is being rolled out. */
  readonly candidate: Version | null;
  /** The newest last, 1,000 at most. */
  readonly pins: readonly { readonly version: Version; readonly refusal: Refusal }[];
  /** node.ids, 1,000 at most. */
  readonly muted: readonly string[];
  /** The number of the last offer. */
  readonly pushes: number;
  /** How many nodes each of the newest 20 offers was made to. */
  readonly members: readonly number[];
  /** How the last settled offer came out; null: none has settled. */
  readonly settled: { readonly version: Version; readonly isClean: boolean } | null;
}

/** A rollout with nobody connected. `now`: milliseconds since the epoch; a candidate gets its full time again. */
export function createRollout(settings: RolloutSettings, memory?: RolloutMemory, now = 0): RolloutState {
  const version = memory?.candidate ?? null;
  return {
    settings,
    live: memory?.live ?? null,
    candidate: version === null ? null : { version, deadline: now + settings.ackTimeoutMs, isResumed: true },
    pins: new Map(memory?.pins.map(({ version, refusal }) => [version, refusal])),
    nodes: new Map(),
    ids: new Map(),
    members: 0,
    muted: new Set(memory?.muted),
    strikes: new Map(),
    clientStrikes: new Map(),
    waiting: new Map(),
    electorate: null,
    tally: createTally(),
    gathering: { members: Math.max(0, ...(memory?.members ?? [])), until: null, isOver: false },
    pushes: memory?.pushes ?? 0,
    awaited: version === null ? null : { version, at: now },
    offeredTo: [...(memory?.members ?? [])],
    settled: memory?.settled ?? null,
  };
}

export function toRolloutMemory(state: RolloutState): RolloutMemory {
  const { live, candidate, pins, muted, pushes, offeredTo, settled } = state;
  return {
    live,
    candidate: candidate?.version ?? null,
    pins: [...pins].map(([version, refusal]) => ({ version, refusal })),
    muted: [...muted],
    pushes,
    members: [...offeredTo],
    settled,
  };
}

/** The nodes by state. */
export function countNodes(state: RolloutState): Counts {
  const counts = { connected: state.nodes.size, acked: 0, pending: 0, refusing: 0, unanswered: 0 };
  for (const session of state.nodes.keys()) counts[nodeState(state, session)] += 1;
  return counts;
}

/** The version that every node should have, or null before there is one. */
export function targetOf(state: RolloutState): Version | null {
  return state.candidate?.version ?? state.live?.version ?? null;
}

/** State of one node against the target. */
export function nodeState(state: RolloutState, session: SessionId): NodeState {
  const node = state.nodes.get(session);
  if (node?.answer === 'nack') return 'refusing';
  if (node?.answer === 'ack' && node.sent === targetOf(state)) return 'acked';
  return state.waiting.has(session) || targetOf(state) === null ? 'pending' : 'unanswered';
}

const none: readonly Strikes[] = [];

/** The strikes of a node and of its client. */
export function strikesOf({ strikes, clientStrikes }: RolloutState, { id, client }: RolloutNode): readonly Strikes[] {
  if (strikes.size + clientStrikes.size === 0) return none; // called for each of 5,000 ACKs
  return [strikes.get(id), client === null ? undefined : clientStrikes.get(client)].filter(
    (each) => each !== undefined,
  );
}

export function voteOf(state: RolloutState, node: RolloutNode, at: number): Vote {
  if (state.muted.has(node.id)) return 'muted';
  if (isShared(state, node.id)) return 'shared';
  if (strikesOf(state, node).some(({ owed }) => owed > 0)) return 'lost';
  return node.heldSince !== null && at - node.heldSince >= state.settings.voteAfterMs ? 'full' : 'new';
}

/** How many members are asked about the target. */
export function membersAsked({ electorate, gathering, members }: RolloutState): number {
  return Math.max(1, electorate?.size ?? Math.max(gathering.members, members));
}

/** How many ACKs prove the target. */
export function quorumOf(state: RolloutState): number {
  return Math.max(1, Math.ceil(state.settings.quorum * membersAsked(state)));
}

/** When `tick` is due (milliseconds since the epoch), or null when nothing is awaited. */
export function nextDeadline(state: RolloutState): number | null {
  const [first = Infinity] = state.waiting.values();
  const gathered = isGathering(state) ? (state.gathering.until ?? Infinity) : Infinity;
  const due = Math.min(first, state.candidate?.deadline ?? Infinity, gathered);
  return due === Infinity ? null : due;
}

/** The live release is unproven, and the fleet may still be connecting. */
export function isGathering({ candidate, live, gathering }: RolloutState): boolean {
  return candidate === null && live?.proven === false && !gathering.isOver;
}

/** After a restart with a candidate: until the deadline, the nodes that are back first decide only with enough ACKs. */
export function isReturning(state: RolloutState): boolean {
  const { candidate, gathering, members, tally } = state;
  return candidate?.isResumed === true && gathering.members > members && tally.acked.size < quorumOf(state);
}
