import type { Diagnostic } from '../config/diagnostic.ts';
import { short } from '../release/short.ts';
import type { Hold, RevisionsState, Waiting } from './state.ts';
import type { FinalOutcome } from '../rollout/types.ts';
import type { RevisionEffect, RevisionFact, RevisionSummary, RolloutView, Standing, Verdict } from './types.ts';

/** One event's work: the state that it moves, what the rollout has meanwhile, and what comes of it. */
export interface Turn {
  readonly state: RevisionsState;
  readonly rollout: RolloutView;
  readonly facts: RevisionFact[];
  readonly effects: RevisionEffect[];
}

/** So many revisions may wait: those beyond it are overtaken unseen. */
const waitingAtMost = 20_000;
/** So many of those that come next are named with a judgement. */
const namedAtMost = 500;
/** So many outcomes are remembered: more than may wait. */
const decidedAtMost = 40_000;

/** Gives a revision its place. `before`: what became of it before this process. */
export function see(
  { state, facts }: Turn,
  revision: RevisionSummary,
  { previous, before }: { previous: string | null; before: FinalOutcome | null },
): Waiting {
  const { version } = revision;
  facts.push({ type: 'seen', revision, isPast: false });
  const outcome = state.decided.get(version) ?? before;
  if (!state.open.has(version) && outcome === null) state.open.set(version, null);
  else if (!state.open.has(version) && outcome !== null) decide(state, version, outcome);
  return { version, place: ++state.places, previous };
}

/** It has its final outcome. */
export function decide({ open, decided }: RevisionsState, version: string, outcome: FinalOutcome): void {
  open.delete(version);
  decided.delete(version);
  decided.set(version, outcome);
  const [oldest] = decided.keys();
  if (decided.size > decidedAtMost && oldest !== undefined) decided.delete(oldest);
}

/** A newer one has taken its turn; what the fleet has said of it before stands. */
function supersede(turn: Turn, version: string): void {
  const { state, facts } = turn;
  if (state.decided.has(version)) return;
  if (state.open.get(version) != null) return close(turn, version);
  facts.push({ type: 'superseded', version });
  decide(state, version, 'superseded');
}

/** What no move can bring any more has its final outcome: that of before it was held, if there was one. */
export function close({ state, facts }: Turn, version: string, outcome?: FinalOutcome): void {
  const before = state.open.get(version) ?? null;
  const final = outcome ?? before ?? 'superseded';
  facts.push({ type: 'closed', version, outcome: final, isNew: before === null });
  decide(state, version, final);
}

/** Revisions of higher places than all that wait already; one that was seen before has only its new place. */
export function wait(turn: Turn, revisions: readonly Waiting[]): void {
  const { state } = turn;
  drop(state, new Set(revisions.map(({ version }) => version)));
  state.waiting.push(...revisions);
  const beyond = state.waiting.splice(0, Math.max(0, state.waiting.length - waitingAtMost));
  for (const { version } of beyond) supersede(turn, version);
}

/** These wait no more where they did; what one of them is judged for at this moment is over. */
export function drop(state: RevisionsState, versions: ReadonlySet<string>): void {
  state.waiting = state.waiting.filter(({ version }) => !versions.has(version));
  const { judging } = state;
  if (judging?.place != null && versions.has(judging.version)) state.judging = { ...judging, isStale: true };
}

/** It could not be judged: it waits where it did. */
export function putBack({ waiting }: RevisionsState, revision: Waiting): void {
  waiting.splice(waiting.findLastIndex(({ place }) => place < revision.place) + 1, 0, revision);
}

/** The newest goes first, whatever still waits. */
export function judgeNext({ state, effects }: Turn): void {
  if (state.judging !== null) return;
  const newest = state.waiting.pop();
  if (newest === undefined) return;
  state.judging = newest;
  const following = state.waiting.slice(-namedAtMost).reverse();
  const next = following.map(({ version }) => version);
  effects.push({ type: 'judge', version: newest.version, next, standing: standingOf(state, newest) });
}

function standingOf(state: RevisionsState, revision: Waiting): Standing {
  const { place, previous } = revision;
  return { isHead: place === state.headPlace, isOvertaken: isOvertakenBy(state, revision), tip: state.tip, previous };
}

function isOvertakenBy({ reached }: RevisionsState, { place, isOvertaken }: Waiting): boolean {
  return isOvertaken === true || place <= reached;
}

/** What follows from a verdict on a revision that was waiting. */
export function conclude(turn: Turn, revision: Waiting, verdict: Verdict): void {
  const { state, rollout, facts, effects } = turn;
  const { version, place, retriedBy } = revision;
  if (isServed(rollout, version) && place !== state.headPlace) return; // the fleet has gone back to it: what becomes of it is the rollout's
  if (!verdict.valid) return invalid(turn, revision, verdict.diagnostics);
  const isOvertaken = isOvertakenBy(state, revision);
  const shrink = mayShrink(state, version, verdict.digest) ? null : verdict.shrink;
  if (!isOvertaken && shrink !== null && place === state.headPlace)
    return hold(turn, { version, cause: 'shrink' }, { reason: shrink });
  if (isOvertaken || shrink !== null) return supersede(turn, version);
  if (retriedBy !== undefined) facts.push({ type: 'retried', version, by: retriedBy });
  effects.push({ type: 'release', version, how: retriedBy === undefined ? 'release' : 'retry' });
  state.released = { version, digest: verdict.digest };
  // A pinned one is not pushed: the rollout says so, and the next older one may be.
  if (retriedBy !== undefined || rollout.refusalOf(version) === null) state.reached = place;
}

/** An operator has let it through, or its content was live before. */
function mayShrink({ accepted, contents }: RevisionsState, version: string, digest: string | null): boolean {
  return accepted.has(version) || (digest !== null && contents.has(digest));
}

/** What the fleet has, or is to have. */
export function isServed({ live, target }: RolloutView, version: string): boolean {
  return version === live || version === target;
}

/** Of any but the head it is told once: what has its final outcome keeps it. */
function invalid({ state, facts }: Turn, { version, place }: Waiting, diagnostics: readonly Diagnostic[]): void {
  const isHead = place === state.headPlace;
  if (!isHead && state.decided.has(version)) return;
  facts.push({ type: 'invalid', version, diagnostics });
  decide(state, version, 'invalid');
  if (isHead && state.head) state.head = { ...state.head, outcome: 'invalid', diagnostics };
}

/** The head waits for an operator. `hint`: what is to be done, where it is not to accept it. */
export function hold({ state, facts }: Turn, hold: Hold, why: { reason: string; hint?: string }): void {
  const { version } = hold;
  const { reason, hint = `look at it, then: shardplane accept ${short(version)}` } = why;
  const { file } = state.settings;
  const diagnostics: Diagnostic[] = [{ code: 'held', message: `held: ${reason}`, file, line: 1, column: 1, hint }];
  state.hold = hold;
  state.open.set(version, state.open.get(version) ?? state.decided.get(version) ?? null);
  state.decided.delete(version);
  if (state.head) state.head = { ...state.head, outcome: 'held', diagnostics };
  facts.push({ type: 'held', version, reason, diagnostics });
}
