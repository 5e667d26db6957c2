import type { SessionId, Version } from '../ids.ts';
import { resumeCandidate, type Candidate } from './candidate.ts';
import type { Frozen } from './plan.ts';
import type { NodeLabels } from './reach.ts';
import type { Cause, CheckVerdict, Live, Refusal } from './types.ts';

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
