import type { SessionId, Version } from '../ids.ts';
import { type RolloutNode, type RolloutState, type Strikes } from './state.ts';
import { subjectOf } from './targets.ts';
import type { Refusal, Vote } from './types.ts';

/** How many nodes' strikes are remembered. */
const maxStrikes = 1_000;
/** What a node owes doubles with each strike, up to 2 to the power of this. */
const maxDoublings = 10;
/** Several Envoys behind one address may each refuse a commit: this many of their rollbacks cost the client nothing. */
const clientsFree = 2;

/** Counts an answer to the target, if its node has a say. */
export function countVote(state: RolloutState, { id }: RolloutNode, refusal: Refusal | null): void {
  const { muted, electorate, tally } = state;
  if (muted.has(id) || (electorate !== null && !electorate.has(id))) return;
  if (refusal === null) tally.acked.add(id);
  else (isShared(state, id) ? tally.shared : tally.refused).set(id, refusal);
}

/** From here on every connected node counts, with the answer that it gave already, and no other. */
export function countAll(state: RolloutState): void {
  const { tally, ids } = state;
  state.electorate = null;
  for (const answers of [tally.acked, tally.refused, tally.shared])
    for (const id of answers.keys()) if (!ids.has(id)) answers.delete(id);
  for (const node of state.nodes.values()) countAnswer(state, node);
}

function countAnswer(state: RolloutState, node: RolloutNode): void {
  if (node.answer === null || node.sent !== subjectOf(state)) return;
  countVote(state, node, node.answer === 'nack' ? node.refusal : null);
}

/** A node accepted the live release: its time begins, and it owes one release less. */
export function credit(state: RolloutState, node: RolloutNode, at: number): void {
  const version = state.live?.version ?? null;
  node.heldSince ??= at;
  for (const strikes of strikesOf(state, node)) {
    if (strikes.last === version) continue;
    strikes.last = version;
    strikes.owed = Math.max(0, strikes.owed - 1);
  }
}

/**
 * A node rolled a release back alone: it can't do so again until it has accepted as many more as it owes. After several times, nor can
 * any other node of the same client: having many node.ids gives no more votes.
 */
export function strike(state: RolloutState, { id, client }: RolloutNode): void {
  const last = state.live?.version ?? null;
  addStrike(state.strikes, id, { last, free: 0 });
  if (client !== null) addStrike(state.clientStrikes, client, { last, free: clientsFree });
}

function addStrike(
  all: Map<string, Strikes>,
  key: string,
  { last, free }: { last: Version | null; free: number },
): void {
  const count = (all.get(key)?.count ?? 0) + 1;
  const owed = count <= free ? 0 : 2 ** Math.min(count - free - 1, maxDoublings);
  all.delete(key); // to the end: the oldest is dropped first
  all.set(key, { count, owed, last });
  const [oldest] = all.keys();
  if (all.size > maxStrikes && oldest !== undefined) all.delete(oldest);
}

/** `by`: 1 when a stream of that node.id begins, -1 when one ends. */
export function countStream(state: RolloutState, id: string, by: 1 | -1): void {
  const before = state.ids.get(id) ?? 0;
  const after = before + by;
  if (after === 0) state.ids.delete(id);
  else state.ids.set(id, after);
  if (before > 0 === after > 0) return;
  if (!state.muted.has(id)) state.members += by;
  if (after > 0 || state.electorate !== null) return;
  // Without an electorate only connected nodes count, so the tally is bounded as the streams are.
  state.tally.acked.delete(id);
  state.tally.refused.delete(id);
  state.tally.shared.delete(id);
}

export function mute(state: RolloutState, id: string): void {
  if (state.muted.has(id)) return;
  state.muted.add(id);
  if (state.ids.has(id)) state.members -= 1;
  state.electorate?.delete(id);
  state.tally.acked.delete(id);
  state.tally.refused.delete(id);
  state.tally.shared.delete(id);
  for (const session of sessionsOf(state, id)) state.waiting.delete(session);
}

/** Gives a node its full vote back, and clears its strikes. */
export function unmute(state: RolloutState, id: string): void {
  state.strikes.delete(id);
  for (const node of state.nodes.values())
    if (node.id === id && node.client !== null) state.clientStrikes.delete(node.client);
  if (!state.muted.delete(id) || !state.ids.has(id)) return;
  state.members += 1;
  const sessions = sessionsOf(state, id);
  // It has a say again, unless the wave has not reached it.
  const isAsked = state.candidate === null || sessions.some((session) => state.nodes.get(session)?.isReached);
  if (isAsked) state.electorate?.add(id);
  for (const session of sessions) {
    const node = state.nodes.get(session);
    if (node) countAnswer(state, node);
  }
}

function sessionsOf(state: RolloutState, id: string): SessionId[] {
  return [...state.nodes].filter(([, node]) => node.id === id).map(([session]) => session);
}

const none: readonly Strikes[] = [];

/** Several streams have this node.id. */
export function isShared(state: RolloutState, id: string): boolean {
  return (state.ids.get(id) ?? 0) > 1;
}

/** The strikes of a node and of its client. */
function strikesOf({ strikes, clientStrikes }: RolloutState, { id, client }: RolloutNode): readonly Strikes[] {
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
