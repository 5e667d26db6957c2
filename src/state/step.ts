import { rest, step as stepRevisions } from '../revisions/step.ts';
import type { RevisionEffect, RevisionEvent, RolloutView } from '../revisions/types.ts';
import { nextDeadline } from '../rollout/deadline.ts';
import { diagnose } from '../rollout/diagnose.ts';
import type { RolloutState } from '../rollout/state.ts';
import { aimOf } from '../rollout/targets.ts';
import { frozenAt } from '../rollout/frozen.ts';
import { step as stepRollout } from '../rollout/step.ts';
import type { RolloutEffect, RolloutEvent, RolloutFact } from '../rollout/types.ts';
import type { Fact } from './facts.ts';
import type { State } from './state.ts';

/** What the caller has to do. A release is not among these: the rollout handles it in the same step. */
export type Effect =
  | Exclude<RevisionEffect, { type: 'release' }>
  | RolloutEffect
  /** Neither the fleet nor git has anything to offer: waiting nodes get an empty layer. */
  | { readonly type: 'offer_nothing' };

export type Event = RevisionEvent | RolloutEvent;

interface Turn {
  readonly state: State;
  readonly at: number;
  readonly facts: Fact[];
  readonly effects: Effect[];
}

/**
 * Applies one event of git, an operator or a node; returns facts (what happened) and effects (what to do), each in order. Passes
 * releases from the revisions to the rollout, and their outcomes back. `at`: milliseconds since the epoch. Does no I/O and reads no
 * clock.
 */
export function step(
  state: State,
  event: Event,
  at: number,
): { readonly facts: readonly Fact[]; readonly effects: readonly Effect[] } {
  const turn: Turn = { state, at, facts: [], effects: [] };
  if ('at' in event) roll(turn, event);
  else revise(turn, event);
  if (state.revisions.hold?.cause === 'freeze' && frozenAt(state.rollout, at) === null)
    revise(turn, { type: 'thawed' });
  if ('at' in event && turn.facts.length === 0 && turn.effects.length === 0) return turn; // most ACKs: nothing was decided
  turn.facts.push(
    ...rest(state.revisions, { ...viewOf(state.rollout, at), isUndecided: state.rollout.candidate !== null }),
  );
  return turn;
}

function revise(turn: Turn, event: RevisionEvent): void {
  const { state, at, facts } = turn;
  const stepped = stepRevisions(state.revisions, event, viewOf(state.rollout, at));
  facts.push(...stepped.facts);
  if (stepped.facts.some(({ type }) => type === 'nothing_found')) turn.effects.push({ type: 'offer_nothing' });
  for (const effect of stepped.effects) {
    if (effect.type === 'release') {
      const { how: type, version, plan, isAccepted = false } = effect;
      roll(turn, { type, at, version, plan, isAccepted });
    } else turn.effects.push(effect);
  }
}

function roll(turn: Turn, event: RolloutEvent): void {
  const { facts, effects } = stepRollout(turn.state.rollout, event);
  turn.facts.push(...facts);
  turn.effects.push(...effects);
  for (const fact of facts) passOutcome(turn, fact);
  if (effects.some(({ version }) => version === null)) revise(turn, { type: 'stranded' });
}

/** Passes the outcome of a release to the revisions. */
function passOutcome(turn: Turn, fact: RolloutFact): void {
  switch (fact.type) {
    case 'offered':
      return revise(turn, { type: 'decided', version: fact.version, outcome: null, diagnostics: [] });
    case 'live':
    case 'superseded':
      return revise(turn, { type: 'decided', version: fact.version, outcome: fact.type, diagnostics: [] });
    case 'rolled_back':
    case 'still_pinned': {
      const diagnostics = [diagnose(fact.cause)];
      return revise(turn, { type: 'decided', version: fact.version, outcome: 'rolled_back', diagnostics });
    }
    default:
      return;
  }
}

function viewOf(rollout: RolloutState, at: number): RolloutView {
  return {
    live: rollout.live?.version ?? null,
    target: aimOf(rollout),
    isPinned: (version) => rollout.pins.has(version),
    frozen: () => frozenAt(rollout, at),
  };
}

/** When the next `tick` is due after `at` (milliseconds since the epoch), or null. */
export function nextTick({ revisions, rollout }: State, at: number): number | null {
  const thaw = revisions.hold?.cause === 'freeze' ? (frozenAt(rollout, at)?.until ?? Infinity) : Infinity;
  const due = Math.min(nextDeadline(rollout, at) ?? Infinity, thaw);
  return due === Infinity ? null : due;
}
