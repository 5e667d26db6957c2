import type { Version } from '../ids.ts';
import { allAtOnce } from '../rollout/plan.ts';
import { beginLookBack, goOn, listAgain, onHistoryJudged, onListed } from './look-back.ts';
import { endHold, onMoved } from './move.ts';
import { isIdle } from './state.ts';
import type { Head, RevisionsState } from './state.ts';
import { close, conclude, isServed, judgeNext, putBack, setOutcome, wait } from './turn.ts';
import type { Turn } from './turn.ts';
import type { RevisionEffect, RevisionEvent, RevisionFact, RolloutView } from './types.ts';

type EventOf<T extends RevisionEvent['type']> = Extract<RevisionEvent, { type: T }>;

const maxAccepted = 1_000;
const maxContents = 1_000;

/**
 * Applies one event to `state`, in place; returns facts (what happened) and effects (what to do), each in order.
 * docs/revisions.md has the transitions. Does no I/O and reads no clock.
 */
export function step(
  state: RevisionsState,
  event: RevisionEvent,
  rollout: RolloutView,
): { facts: RevisionFact[]; effects: RevisionEffect[] } {
  const turn: Turn = { state, rollout, facts: [], effects: [] };
  apply(turn, event);
  judgeNext(turn);
  if (isStranded(turn)) beginLookBack(turn);
  return { facts: turn.facts, effects: turn.effects };
}

/**
 * Called when an event has been handled completely. If nothing is in progress, closes revisions that no move will list again (a held
 * one that was put back, or one left by a crash), and lets a restart resume at the tip taken last.
 */
export function rest(state: RevisionsState, rollout: RolloutView & { readonly isUndecided: boolean }): RevisionFact[] {
  const turn: Turn = { state, rollout, facts: [], effects: [] };
  if (!isIdle(state)) return [];
  const { head, tip, open } = state;
  if (open.size > 0 && head !== null && tip !== null)
    for (const version of [...open.keys()])
      if (version !== head.version && !isServed(rollout, version)) close(turn, version);
  if (!rollout.isUndecided) state.remembered = state.taken;
  return turn.facts;
}

function apply(turn: Turn, event: RevisionEvent): void {
  switch (event.type) {
    case 'moved':
      return onMoved(turn, event);
    case 'judged':
      return judged(turn, event);
    case 'unjudged':
      return unjudged(turn, event.version);
    case 'unlisted':
      return listAgain(turn);
    case 'listed':
      return onListed(turn, event);
    case 'accept':
      return accept(turn, event);
    case 'retry':
      return retry(turn, event);
    case 'decided':
      return decided(turn, event);
    case 'thawed':
      return thawed(turn);
    case 'stranded':
      if (turn.state.lookBack?.isDone) turn.state.lookBack = null;
      return;
  }
}

/** Nothing is served or in progress, and the history of the tip taken last was not searched. */
function isStranded({ state, rollout, effects }: Turn): boolean {
  const { judging, lookBack, hasMoved, taken } = state;
  const isBusy = effects.length > 0 || judging !== null;
  const wasLookedThrough = lookBack !== null && (!lookBack.isDone || lookBack.tip === taken);
  const isKnown = hasMoved || taken !== null; // else git was not looked at yet
  return rollout.target === null && isKnown && !isBusy && !wasLookedThrough;
}

function judged(turn: Turn, { version, verdict }: EventOf<'judged'>): void {
  const { state } = turn;
  const { judging } = state;
  if (judging?.version !== version) return;
  state.judging = null;
  const { place } = judging;
  if (judging.isStale) return;
  if (place === null) onHistoryJudged(turn, verdict);
  else conclude(turn, { ...judging, place }, verdict);
}

/** Goes back to the queue: anything newer goes first. */
function unjudged(turn: Turn, version: Version): void {
  const { state } = turn;
  const { judging } = state;
  if (judging?.version !== version) return;
  state.judging = null;
  const { place, isStale, ...revision } = judging;
  if (place === null) goOn(turn, false);
  else if (!isStale) putBack(state, { ...revision, place });
}

/** An operator accepts the held head: it is judged again, like a new one. */
function accept(turn: Turn, { version, by }: EventOf<'accept'>): void {
  const { state, effects } = turn;
  const { head, hold, tip } = state;
  if (head?.version !== version) return;
  // Held before a restart: the first look at the ref will find it accepted.
  if (!state.hasMoved && head.outcome === 'held') return remember(turn, { version, by });
  if (hold?.version !== version || hold.cause === 'refused-rewrite') return;
  remember(turn, { version, by });
  if (hold.cause === 'rewrite' && tip !== null) {
    effects.push({ type: 'accept_tip', tip });
    state.taken = tip;
    state.seen.clear();
  }
  letGo(turn, head);
}

function remember({ state, facts }: Turn, { version, by }: { version: Version; by: string }): void {
  facts.push({ type: 'accepted', version, by });
  state.accepted.add(version);
  for (const oldest of state.accepted) if (state.accepted.size > maxAccepted) state.accepted.delete(oldest);
}

/** An operator retries the refused head: it is judged again first, unless it is the target. */
function retry(turn: Turn, { version, by }: EventOf<'retry'>): void {
  const { state, rollout, effects } = turn;
  if (version === rollout.target) return void effects.push({ type: 'release', version, how: 'retry', plan: allAtOnce });
  if (state.head?.version !== version || state.hold !== null || !rollout.isPinned(version)) return;
  waitAgain(turn, { version, retriedBy: by });
}

/** The freeze that held the head is over: it goes on by itself. */
function thawed(turn: Turn): void {
  const { head, hold } = turn.state;
  if (hold?.cause === 'freeze' && head?.version === hold.version) letGo(turn, head);
}

/** The head is not held any more. */
function letGo(turn: Turn, head: Head): void {
  turn.state.hold = null;
  turn.state.head = { ...head, outcome: null, diagnostics: [] };
  waitAgain(turn, { version: head.version });
}

function waitAgain(turn: Turn, head: { version: Version; retriedBy?: string }): void {
  const { state } = turn;
  state.headPlace = ++state.places;
  wait(turn, [{ ...head, place: state.headPlace, previous: null }]);
}

/** The outcome may be that of a held revision, which nobody released: the fleet may have fallen back to it. */
function decided(turn: Turn, { version, outcome, diagnostics }: EventOf<'decided'>): void {
  const { state } = turn;
  const { head, hold } = state;
  const isHead = head?.version === version;
  if (outcome === 'live') rememberContent(state, version);
  // A held one gets its outcome when the hold ends.
  if (outcome !== null && hold?.version !== version) setOutcome(state, version, outcome);
  if (!isHead || (outcome === null && head.outcome === 'live')) return;
  state.head = { ...head, outcome, diagnostics };
  if (outcome !== null) endHold(turn, outcome);
}

function rememberContent({ released, contents }: RevisionsState, version: Version): void {
  if (released?.version !== version || released.digest === null) return;
  contents.delete(released.digest);
  contents.add(released.digest);
  const [oldest] = contents;
  if (contents.size > maxContents && oldest !== undefined) contents.delete(oldest);
}
