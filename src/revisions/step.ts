import { beginLookBack, goOn, onHistoryJudged, onListed } from './look-back.ts';
import { onMoved } from './move.ts';
import type { RevisionsState } from './state.ts';
import { conclude, judgeNext, wait } from './turn.ts';
import type { Turn } from './turn.ts';
import type { RevisionEffect, RevisionEvent, RevisionFact, RolloutView } from './types.ts';

type EventOf<T extends RevisionEvent['type']> = Extract<RevisionEvent, { type: T }>;

/** So many accepted versions are remembered. */
const acceptedAtMost = 1_000;

/**
 * One event of the revisions: moves `state`, in place, and returns what happened and what is to be done, each in order.
 * The transitions are written down in docs/revisions.md. Does no I/O and reads no clock.
 */
export function step(
  state: RevisionsState,
  event: RevisionEvent,
  rollout: RolloutView,
): { facts: RevisionFact[]; effects: RevisionEffect[] } {
  const turn: Turn = { state, rollout, facts: [], effects: [] };
  apply(turn, event);
  judgeNext(turn);
  if (isIdle(turn)) beginLookBack(turn);
  return { facts: turn.facts, effects: turn.effects };
}

function apply(turn: Turn, event: RevisionEvent): void {
  switch (event.type) {
    case 'moved':
      return onMoved(turn, event);
    case 'judged':
      return judged(turn, event);
    case 'unjudged':
      return unjudged(turn, event.version);
    case 'listed':
      return onListed(turn, event);
    case 'accept':
      return accept(turn, event);
    case 'retry':
      return retry(turn, event);
    case 'decided':
      return decided(turn, event);
    case 'stranded':
      return;
  }
}

/** Nothing is served, nothing is on its way, and the history of this tip was not looked through. */
function isIdle({ state, rollout, effects }: Turn): boolean {
  const { judging, lookBack, head, taken } = state;
  const isBusy = effects.length > 0 || judging !== null;
  const wasLookedThrough = lookBack !== null && (!lookBack.isDone || lookBack.tip === taken);
  return rollout.target === null && head !== null && !isBusy && !wasLookedThrough;
}

function judged(turn: Turn, { version, verdict }: EventOf<'judged'>): void {
  const { state } = turn;
  const { judging } = state;
  if (judging?.version !== version) return;
  state.judging = null;
  const { place } = judging;
  if (state.hold?.version === version) return; // held meanwhile: it is judged once it is accepted
  if (place === null) onHistoryJudged(turn, verdict);
  else conclude(turn, { ...judging, place }, verdict);
}

function unjudged(turn: Turn, version: string): void {
  const { state } = turn;
  const { judging } = state;
  if (judging?.version !== version) return;
  state.judging = null;
  const { place } = judging;
  if (place === null) goOn(turn, false);
  else state.waiting = [...state.waiting, { ...judging, place }].sort((a, b) => a.place - b.place);
}

/** An operator lets the held head through: it is judged once more, as if it had just come. */
function accept(turn: Turn, { version, by }: EventOf<'accept'>): void {
  const { state, effects } = turn;
  const { head, hold, tip } = state;
  if (head?.version !== version || hold?.version !== version || hold.cause === 'refused-rewrite') return;
  turn.facts.push({ type: 'accepted', version, by });
  state.accepted.add(version);
  for (const oldest of state.accepted) if (state.accepted.size > acceptedAtMost) state.accepted.delete(oldest);
  if (hold.cause === 'rewrite' && tip !== null) {
    effects.push({ type: 'accept_tip', tip });
    state.taken = tip;
    state.seen.clear();
  }
  state.hold = null;
  state.head = { ...head, outcome: null, diagnostics: [] };
  waitAgain(turn, { version });
}

/** An operator wants the refused head pushed again: that it is still valid is looked at first. */
function retry(turn: Turn, { version, by }: EventOf<'retry'>): void {
  const { state, rollout } = turn;
  if (state.head?.version !== version || state.hold !== null || rollout.refusalOf(version) === null) return;
  waitAgain(turn, { version, retriedBy: by });
}

function waitAgain(turn: Turn, head: { version: string; retriedBy?: string }): void {
  const { state } = turn;
  state.headPlace = ++state.places;
  wait(turn, [{ ...head, place: state.headPlace, previous: null }]);
}

function decided({ state }: Turn, { version, outcome, diagnostics }: EventOf<'decided'>): void {
  const { head } = state;
  if (head?.version !== version || (outcome === null && head.outcome === 'live')) return;
  state.head = { ...head, outcome, diagnostics };
  if (outcome !== null) state.hold = null;
}
