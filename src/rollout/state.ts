import type { SessionId, Version } from '../ids.ts';
import { isAtOnce, resumeCandidate, type Candidate } from './candidate.ts';
import { reaches, type NodeLabels } from './reach.ts';
import type { Cause, CheckVerdict, Counts, Frozen, Live, NodeState, Refusal, Vote, WaveProgress } from './types.ts';

/** One node's stream, as the rollout sees it. */
export interface RolloutNode {
  /** xDS node.id. */
  readonly id: string;
  readonly labels: NodeLabels;
  /** The candidate's waves have reached it. */
  isReached: boolean;
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
  /** Checks that every wave has to pass. */
  readonly checks?: readonly string[];
  /** The freeze window at a time, if any. */
  readonly frozenAt?: (at: number) => Frozen | null;
}

/** What a check has found since the wave began. */
export interface CheckState {
  /** The last verdicts, newest last. */
  readonly recent: CheckVerdict[];
  message: string;
  /** Since when it has had no data, milliseconds since the epoch. */
  noDataSince: number | null;
}

/** An operator's freeze. Milliseconds since the epoch. */
export interface Freeze {
  readonly by: string;
  readonly why: string;
  readonly at: number;
  /** Null: until `unfreeze`. */
  readonly until: number | null;
}

/** Owned by the caller and updated in place by `step`: copying 5,000 nodes for each ACK would be too slow. */
export interface RolloutState {
  readonly settings: RolloutSettings;
  live: Live | null;
  candidate: Candidate | null;
  /** How many stages were made so far; it survives restarts, so that no version on the wire is used twice. */
  stages: number;
  /** By name. */
  checks: Map<string, CheckState>;
  freeze: Freeze | null;
  /** An operator has ended the freeze window that lasts until then. */
  thawedUntil: number | null;
  /** Versions that were rolled back, and why. */
  readonly pins: Map<Version, Cause>;
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
  readonly candidate: Candidate | null;
  readonly stages?: number;
  readonly freeze?: Freeze | null;
  readonly thawedUntil?: number | null;
  /** The newest last, 1,000 at most. */
  readonly pins: readonly { readonly version: Version; readonly cause: Cause }[];
  /** node.ids, 1,000 at most. */
  readonly muted: readonly string[];
  /** The number of the last offer. */
  readonly pushes: number;
  /** How many nodes each of the newest 20 offers was made to. */
  readonly members: readonly number[];
  /** How the last settled offer came out; null: none has settled. */
  readonly settled: { readonly version: Version; readonly isClean: boolean } | null;
}

/** A restart skips so many numbers of stages: the last ones before a crash may not have been written. */
export const maxStagesLost = 1_000;

/** A rollout with nobody connected. `now`: milliseconds since the epoch; a candidate's nodes get their full time again. */
export function createRollout(settings: RolloutSettings, memory?: RolloutMemory, now = 0): RolloutState {
  const candidate = memory?.candidate ? resumeCandidate(memory.candidate, now + settings.ackTimeoutMs) : null;
  const isAsked = candidate?.phase.type === 'pushing';
  const expected = Math.max(0, ...(memory?.members ?? []));
  return {
    settings,
    live: memory?.live ?? null,
    candidate,
    stages: memory === undefined ? 0 : (memory.stages ?? 0) + maxStagesLost,
    checks: createChecks(candidate?.checks ?? [], now),
    freeze: memory?.freeze ?? null,
    thawedUntil: memory?.thawedUntil ?? null,
    pins: new Map(memory?.pins.map(({ version, cause }) => [version, cause])),
    nodes: new Map(),
    ids: new Map(),
    members: 0,
    muted: new Set(memory?.muted),
    strikes: new Map(),
    clientStrikes: new Map(),
    waiting: new Map(),
    electorate: null,
    tally: createTally(),
    gathering: {
      members: candidate?.reach.isEveryone === false ? candidate.asked : expected,
      until: null,
      isOver: false,
    },
    pushes: memory?.pushes ?? 0,
    awaited: candidate !== null && isAsked ? { version: candidate.version, at: now } : null,
    offeredTo: [...(memory?.members ?? [])],
    settled: memory?.settled ?? null,
  };
}

/** Checks of a wave that begins now, without a verdict. */
export function createChecks(names: readonly string[], at: number): Map<string, CheckState> {
  return new Map(names.map((name) => [name, { recent: [], message: 'no verdict yet', noDataSince: at }]));
}

export function toRolloutMemory(state: RolloutState): RolloutMemory {
  const { live, candidate, stages, freeze, thawedUntil, pins, muted, pushes, offeredTo, settled } = state;
  return {
    live,
    candidate: candidate && { ...candidate, isResumed: false },
    ...{ stages, freeze, thawedUntil },
    pins: [...pins].map(([version, cause]) => ({ version, cause })),
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

/** Where a gradual rollout is, for people; null: there is none. `wave`: the index of another of its waves. */
export function progressOf({ candidate, nodes }: RolloutState, wave = candidate?.wave ?? 0): WaveProgress | null {
  if (candidate === null || isAtOnce(candidate)) return null;
  const { plan, stage, offered } = candidate;
  const reached = offered === null ? 0 : nodes.values().reduce((sum, { isReached }) => sum + Number(isReached), 0);
  const customers = stage && stage.cutover / 100;
  return { strategy: plan.strategy, wave: wave + 1, waves: plan.waves.length, nodes: reached, customers };
}

/** Why no wave may begin: an operator's freeze, or a window. */
export function frozenAt({ freeze, thawedUntil, settings }: RolloutState, at: number): Frozen | null {
  if (freeze !== null && (freeze.until === null || at < freeze.until))
    return { until: freeze.until, reason: `by ${freeze.by}${freeze.why === '' ? '' : `: ${freeze.why}`}` };
  return thawedUntil !== null && at < thawedUntil ? null : (settings.frozenAt?.(at) ?? null);
}

/** Why the candidate's next wave may not begin: not for a freeze despite which an operator has accepted it. */
export function freezeOf(state: RolloutState, at: number): Frozen | null {
  const { candidate } = state;
  if (candidate === null || isAtOnce(candidate)) return null;
  const { freed = null } = candidate;
  return freed !== null && (freed.until === null || at < freed.until) ? null : frozenAt(state, at);
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

/** How many members are asked about the subject. */
export function membersAsked(state: RolloutState): number {
  const { electorate, gathering } = state;
  return Math.max(1, electorate?.size ?? Math.max(gathering.members, membersReached(state)));
}

/** Members that are connected and have a say about the subject. */
export function membersReached({ candidate, members, nodes, muted }: RolloutState): number {
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
