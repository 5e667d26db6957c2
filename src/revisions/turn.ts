import type { Diagnostic } from '../config/diagnostic.ts';
import { toTime } from '../config/words.ts';
import type { Version } from '../ids.ts';
import { short } from '../release/short.ts';
import type { Hold, RevisionsState, Waiting } from './state.ts';
import { allAtOnce, type Frozen, type Plan } from '../rollout/plan.ts';
import type { FinalOutcome } from '../rollout/types.ts';
import type { RevisionEffect, RevisionFact, RevisionSummary, RolloutView, Standing, Verdict } from './types.ts';

/** The handling of one event: the state, the rollout as it is now, and the results so far. */
export interface Turn {
  readonly state: RevisionsState;
  readonly rollout: RolloutView;
  readonly facts: RevisionFact[];
  readonly effects: RevisionEffect[];
}

/** Revisions that wait beyond this are superseded unjudged, oldest first. */
const maxWaiting = 20_000;
/** How many of the next revisions a `judge` effect names. */
const maxNext = 500;
/** More than may wait. */
const maxDecided = 40_000;

/** Gives a revision its place. `before`: its outcome, if the ledger has one. */
export function see(
  { state, facts }: Turn,
  revision: RevisionSummary,
  { previous, before }: { previous: string | null; before: FinalOutcome | null },
): Waiting {
  const { version } = revision;
  facts.push({ type: 'seen', revision, isPast: false });
  const outcome = state.decided.get(version) ?? before;
  if (!state.open.has(version) && outcome === null) state.open.set(version, null);
  else if (!state.open.has(version) && outcome !== null) setOutcome(state, version, outcome);
  return { version, place: ++state.places, previous };
}

export function setOutcome({ open, decided }: RevisionsState, version: Version, outcome: FinalOutcome): void {
  open.delete(version);
  decided.delete(version);
  decided.set(version, outcome);
  const [oldest] = decided.keys();
  if (decided.size > maxDecided && oldest !== undefined) decided.delete(oldest);
}

/** A newer revision overtook it; an outcome that it had already stands. */
function supersede(turn: Turn, version: Version): void {
  const { state, facts } = turn;
  if (state.decided.has(version)) return;
  if (state.open.get(version) != null) return close(turn, version);
  facts.push({ type: 'superseded', version });
  setOutcome(state, version, 'superseded');
}

/** Gives its final outcome to a revision that no move will list again: the one from before it was held, if any. */
export function close({ state, facts }: Turn, version: Version, outcome?: FinalOutcome): void {
  const before = state.open.get(version) ?? null;
  const final = outcome ?? before ?? 'superseded';
  facts.push({ type: 'closed', version, outcome: final, isNew: before === null });
  setOutcome(state, version, final);
}

/** Queues revisions, whose places are higher than any in the queue; one that was queued already moves to its new place. */
export function wait(turn: Turn, revisions: readonly Waiting[]): void {
  const { state } = turn;
  drop(state, new Set(revisions.map(({ version }) => version)));
  state.waiting.push(...revisions);
  const beyond = state.waiting.splice(0, Math.max(0, state.waiting.length - maxWaiting));
  for (const { version } of beyond) supersede(turn, version);
}

/** Takes these out of the queue; the verdict on one that is being judged now will be ignored. */
export function drop(state: RevisionsState, versions: ReadonlySet<Version>): void {
  state.waiting = state.waiting.filter(({ version }) => !versions.has(version));
  const { judging } = state;
  if (judging?.place != null && versions.has(judging.version)) state.judging = { ...judging, isStale: true };
}

/** It could not be judged: goes back to its place in the queue. */
export function putBack({ waiting }: RevisionsState, revision: Waiting): void {
  waiting.splice(waiting.findLastIndex(({ place }) => place < revision.place) + 1, 0, revision);
}

/** The newest goes first. */
export function judgeNext({ state, effects }: Turn): void {
  if (state.judging !== null) return;
  const newest = state.waiting.pop();
  if (newest === undefined) return;
  state.judging = newest;
  const following = state.waiting.slice(-maxNext).reverse();
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

/** Handles the verdict on a revision from the queue. */
export function conclude(turn: Turn, revision: Waiting, verdict: Verdict): void {
  const { state, rollout, facts, effects } = turn;
  const { version, place, retriedBy } = revision;
  if (isServed(rollout, version) && place !== state.headPlace) return; // the fleet fell back to it, so the rollout decides its outcome
  if (!verdict.valid) return invalid(turn, revision, verdict.diagnostics);
  const isOvertaken = isOvertakenBy(state, revision);
  const shrink = mayShrink(state, version, verdict.digest) ? null : verdict.shrink;
  if (!isOvertaken && shrink !== null && place === state.headPlace)
    return hold(turn, { version, cause: 'shrink' }, { reason: shrink });
  const frozen = isOvertaken ? null : freezeFor(turn, version, verdict.digest);
  if (frozen !== null && place === state.headPlace)
    return hold(turn, { version, cause: 'freeze' }, describe(version, frozen));
  if (isOvertaken || shrink !== null || frozen !== null) return supersede(turn, version);
  if (retriedBy !== undefined) facts.push({ type: 'retried', version, by: retriedBy });
  const plan = isWayBack(state, verdict.digest) ? wayBack : verdict.plan;
  const how = retriedBy === undefined ? 'release' : 'retry';
  effects.push({ type: 'release', version, how, plan, ...(state.accepted.has(version) && { isAccepted: true }) });
  // The rollout won't push a pinned one, so the next older one may be released.
  if (retriedBy === undefined && rollout.isPinned(version)) return;
  state.released = { version, digest: verdict.digest };
  state.reached = place;
}

/** An operator accepted it, or its content was live before. */
function mayShrink({ accepted, contents }: RevisionsState, version: Version, digest: string | null): boolean {
  return accepted.has(version) || (digest !== null && contents.has(digest));
}

/** How many of the contents that were live last may come back at once, despite a freeze. */
const waysBack = 3;
const wayBack: Plan = { ...allAtOnce, reason: 'its content was live before' };

function isWayBack({ contents }: RevisionsState, digest: string | null): boolean {
  return digest !== null && [...contents].slice(-waysBack).includes(digest);
}

/** The freeze that holds it. Not what an operator has accepted, the way back, and the first release of all. */
function freezeFor({ state, rollout }: Turn, version: Version, digest: string | null): Frozen | null {
  if (rollout.target === null || state.accepted.has(version) || isWayBack(state, digest)) return null;
  return rollout.frozen();
}

function describe(version: Version, { until, reason }: Frozen): { reason: string; hint: string } {
  const end = until === null ? '' : ` until ${toTime(until)}`;
  const hint = `it goes on by itself when the freeze ends; at once: shardplane accept ${short(version)}`;
  return { reason: `frozen${end} (${reason})`, hint };
}

/** It is live, or the target. */
export function isServed({ live, target }: RolloutView, version: Version): boolean {
  return version === live || version === target;
}

/** Other than the head, a revision keeps the final outcome that it has. */
function invalid({ state, facts }: Turn, { version, place }: Waiting, diagnostics: readonly Diagnostic[]): void {
  const isHead = place === state.headPlace;
  if (!isHead && state.decided.has(version)) return;
  facts.push({ type: 'invalid', version, diagnostics });
  setOutcome(state, version, 'invalid');
  if (isHead && state.head) state.head = { ...state.head, outcome: 'invalid', diagnostics };
}

/** Holds the head until an operator accepts it. `hint`: what to do instead, where it can't be accepted. */
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
