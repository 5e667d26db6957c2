import { short } from '../release/short.ts';
import type { Decision } from './movement.ts';
import type { RevisionsState } from './state.ts';
import { close, drop, hold, isServed, see, wait } from './turn.ts';
import type { Turn } from './turn.ts';
import type { FinalOutcome } from '../rollout/types.ts';
import type { RefMoved, RevisionSummary } from './types.ts';

/** The ref moved: what there is new is seen, and the newest revision is the head. */
export function onMoved(turn: Turn, told: RefMoved): void {
  const { state, effects } = turn;
  const decision = decide(turn, told);
  const moved = { ...told, decision };
  const { tip, newest } = told;
  const isFirst = !state.hasMoved;
  state.hasMoved = true;
  state.tip = tip;
  if (newest === null) return void (state.head = null);
  if (decision === 'take') state.taken = tip;
  if (decision === 'take' && told.decision !== 'take' && tip !== null) effects.push({ type: 'accept_tip', tip });
  // After a restart, settings, schema and keys may be others, and what was under way was cut short.
  if (isFirst || !isKnown(state, moved)) takeUp(turn, { ...moved, newest });
}

/** What is served, and what was accepted, may come back whatever the ref did. */
function decide({ state, rollout }: Turn, { newest, decision }: RefMoved): Decision {
  if (newest === null || decision === 'keep') return decision;
  const isAccepted = decision === 'hold' && state.accepted.has(newest.version);
  return isServed(rollout, newest.version) || isAccepted ? 'take' : decision;
}

/** Commits that leave the file alone change nothing about the newest revision, unless their signatures count. */
function isKnown(state: RevisionsState, { revisions, newest, decision }: RefMoved): boolean {
  const { settings, head, hold, seen } = state;
  if (head === null || newest?.version !== head.version || revisions.some(({ version }) => !seen.has(version)))
    return false;
  if (decision === 'take' && settings.isVerified && head.outcome === 'invalid') return false;
  const isHeldForRewrite = hold !== null && hold.version === head.version && hold.cause !== 'shrink';
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
  // None of the others may be released: they only get their verdict. What was taken before goes on, beside a hold.
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

/** What was held can only be accepted while it is the newest. */
export function endHold(turn: Turn, outcome?: FinalOutcome): void {
  const { state } = turn;
  if (state.hold !== null) close(turn, state.hold.version, outcome);
  state.hold = null;
}

/** A candidate on the way to it goes on; on the way to another, it is called off. */
function backAtServed({ state, rollout, effects }: Turn, version: string): void {
  if (state.head && version === rollout.live) state.head = { ...state.head, outcome: 'live' };
  if (version !== rollout.target) effects.push({ type: 'release', version, how: 'release' });
}

function holdRewrite(turn: Turn, { newest, decision, ...moved }: News): void {
  const { version } = newest;
  const reason = describeRewrite(moved, turn.state.settings.ref);
  if (decision === 'hold') return hold(turn, { version, cause: 'rewrite' }, { reason });
  const hint = `on_rewrite: refuse lets nobody accept it; ${howToPutBack(moved)}`;
  hold(turn, { version, cause: 'refused-rewrite' }, { reason, hint });
}

/** How the ref left what was taken. */
export function describeRewrite(
  { movement, previous, tip }: Pick<RefMoved, 'movement' | 'previous' | 'tip'>,
  ref: string,
): string {
  const how = movement === 'rewind' ? 'rewound' : 'force-pushed';
  return `${ref} was ${how} from ${short(previous ?? '')} to ${short(tip ?? '')}`;
}

/** What there is to do where nobody can accept that. */
export function howToPutBack({ previous }: Pick<RefMoved, 'previous'>): string {
  return `put the ref back to ${short(previous ?? '')}, or commit on top of that`;
}
