import type { Version } from '../ids.ts';
import { short } from '../release/short.ts';
import { allAtOnce } from '../rollout/plan.ts';
import type { Decision } from './movement.ts';
import type { RevisionsState } from './state.ts';
import { close, drop, hold, isServed, see, wait } from './turn.ts';
import type { Turn } from './turn.ts';
import type { FinalOutcome } from '../rollout/types.ts';
import type { RefMoved, RevisionSummary } from './types.ts';

/** The ref moved: records the new revisions, and makes the newest one the head. */
export function onMoved(turn: Turn, told: RefMoved): void {
  const { state, effects } = turn;
  const decision = reviseDecision(turn, told);
  const moved = { ...told, decision };
  const { tip, newest } = told;
  const isFirst = !state.hasMoved;
  state.hasMoved = true;
  state.tip = tip;
  if (newest === null) return void (state.head = null);
  if (decision === 'take') state.taken = tip;
  if (decision === 'take' && told.decision !== 'take' && tip !== null) effects.push({ type: 'accept_tip', tip });
  // After a restart, settings, schema and keys may have changed, and work in progress was lost.
  if (isFirst || !isKnown(state, moved)) takeUp(turn, { ...moved, newest });
}

/** A revision that is served, or was accepted, is taken whatever the ref did. */
function reviseDecision({ state, rollout }: Turn, { newest, decision }: RefMoved): Decision {
  if (newest === null || decision === 'keep') return decision;
  const isAccepted = decision === 'hold' && state.accepted.has(newest.version);
  return isServed(rollout, newest.version) || isAccepted ? 'take' : decision;
}

/** Commits that leave the file alone change nothing, unless their signatures count. */
function isKnown(state: RevisionsState, { revisions, newest, decision }: RefMoved): boolean {
  const { settings, head, hold, seen } = state;
  if (head === null || newest?.version !== head.version || revisions.some(({ version }) => !seen.has(version)))
    return false;
  if (decision === 'take' && settings.isVerified && head.outcome === 'invalid') return false;
  const isHeldForRewrite =
    hold?.version === head.version && (hold.cause === 'rewrite' || hold.cause === 'refused-rewrite');
  return (decision === 'take') !== isHeldForRewrite;
}

type News = RefMoved & { readonly newest: RevisionSummary };

function takeUp(turn: Turn, news: News): void {
  const { state, rollout } = turn;
  const { newest, decision, previous, outcomes } = news;
  const take = (revision: RevisionSummary) =>
    see(turn, revision, { previous, before: outcomes.get(revision.version) ?? null });
  if (state.hold?.version === newest.version) state.hold = null;
  endHold(turn);
  const isOver = ({ version }: RevisionSummary) => version === newest.version || isServed(rollout, version);
  const fresh = news.revisions.filter((revision) => !isOver(revision) && !state.seen.has(revision.version));
  const older = fresh.map(take);
  const head = take(newest);
  const { version, subject } = newest;
  state.head = { version, subject, outcome: null, diagnostics: [] };
  state.headPlace = head.place;
  remember(state, news);
  if (decision === 'take' && !isServed(rollout, version)) return wait(turn, [...older, head]);
  drop(state, new Set([version]));
  // The older ones may not be released: they only get an outcome. What was taken before goes on despite a hold.
  wait(
    turn,
    older.map((revision) => ({ ...revision, isOvertaken: true })),
  );
  if (decision !== 'take') return holdRewrite(turn, news);
  state.reached = head.place;
  backAtServed(turn, version);
}

function remember({ seen }: RevisionsState, { decision, revisions }: News): void {
  seen.clear();
  if (decision !== 'take') for (const { version } of revisions) seen.add(version);
}

/** Only the newest revision can be accepted, so a hold ends when another takes its place. */
export function endHold(turn: Turn, outcome?: FinalOutcome): void {
  const { state } = turn;
  if (state.hold !== null) close(turn, state.hold.version, outcome);
  state.hold = null;
}

/** The ref is back at a served revision: calls off a rollout of any other. */
function backAtServed({ state, rollout, effects }: Turn, version: Version): void {
  if (state.head && version === rollout.live) state.head = { ...state.head, outcome: 'live' };
  if (version !== rollout.target) effects.push({ type: 'release', version, how: 'release', plan: allAtOnce });
}

function holdRewrite(turn: Turn, { newest, decision, ...moved }: News): void {
  const { version } = newest;
  const reason = describeRewrite(moved, turn.state.settings.ref);
  if (decision === 'hold') return hold(turn, { version, cause: 'rewrite' }, { reason });
  const hint = `with on_rewrite: refuse nobody can accept it; ${howToPutBack(moved)}`;
  hold(turn, { version, cause: 'refused-rewrite' }, { reason, hint });
}

/** How the ref moved away from the tip taken last. */
export function describeRewrite(
  { movement, previous, tip }: Pick<RefMoved, 'movement' | 'previous' | 'tip'>,
  ref: string,
): string {
  const how = movement === 'rewind' ? 'rewound' : 'force-pushed';
  return `${ref} was ${how} from ${short(previous ?? '')} to ${short(tip ?? '')}`;
}

/** The hint for a rewrite that nobody can accept. */
export function howToPutBack({ previous }: Pick<RefMoved, 'previous'>): string {
  return `put the ref back to ${short(previous ?? '')}, or commit on top of that`;
}
