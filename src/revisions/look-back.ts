import { allAtOnce } from '../rollout/plan.ts';
import type { Turn } from './turn.ts';
import type { RevisionEvent, Verdict } from './types.ts';

/** How many revisions of the history are tried, and how many are listed at once. */
const atMost = 1_000;
const pageSize = 20;

/** Nothing is served: searches the history for the newest revision that can be. */
export function beginLookBack(turn: Turn): void {
  const { state, facts } = turn;
  if (state.taken !== null) return list(turn, state.taken, 0);
  state.lookBack = { tip: null, skip: 0, page: [], isDone: true };
  facts.push({ type: 'nothing_found' });
}

/** A page could not be listed. */
export function listAgain(turn: Turn): void {
  const { lookBack } = turn.state;
  if (lookBack?.tip == null || lookBack.isDone) return;
  if (isOver(turn)) turn.state.lookBack = null;
  else list(turn, lookBack.tip, lookBack.skip);
}

export function onListed(turn: Turn, { tip, skip, revisions }: Extract<RevisionEvent, { type: 'listed' }>): void {
  const { state, rollout } = turn;
  if (state.lookBack?.tip !== tip || state.lookBack.skip !== skip) return;
  const page = revisions.filter(({ version }) => !rollout.isPinned(version));
  state.lookBack = { ...state.lookBack, page };
  goOn(turn, revisions.length < pageSize);
}

/** A revision of the history was judged: the first valid one is released. */
export function onHistoryJudged(turn: Turn, verdict: Verdict): void {
  const { state, facts, effects } = turn;
  const [revision, ...page] = state.lookBack?.page ?? [];
  if (state.lookBack === null || revision === undefined || isOver(turn)) return void (state.lookBack = null);
  state.lookBack = { ...state.lookBack, page };
  if (!verdict.valid) return goOn(turn, false);
  const { version } = revision;
  const place = ++state.places;
  facts.push({ type: 'seen', revision, isPast: state.head?.version !== version });
  if (!state.decided.has(version) && !state.open.has(version)) state.open.set(version, null);
  state.released = { version, digest: verdict.digest };
  state.reached = place;
  state.lookBack = null;
  if (state.head?.version === version) state.headPlace = place;
  if (state.hold?.version === version) state.hold = null;
  effects.push({ type: 'release', version, how: 'release', plan: allAtOnce });
}

/** Something newer has come, or something is served. */
function isOver({ state, rollout }: Turn): boolean {
  return state.waiting.length > 0 || state.judging !== null || rollout.target !== null;
}

/** Judges the next revision of the page, or asks for the next page. */
export function goOn(turn: Turn, isEnd: boolean): void {
  const { state, effects, facts } = turn;
  if (state.lookBack?.tip == null) return;
  const { tip, skip, page } = state.lookBack;
  const [revision] = page;
  if (isOver(turn)) state.lookBack = null;
  else if (revision !== undefined) {
    state.judging = { version: revision.version, place: null, previous: null };
    const next = page.slice(1).map(({ version }) => version);
    const standing = { isHead: false, isOvertaken: false, tip, previous: null };
    effects.push({ type: 'judge', version: revision.version, next, standing });
  } else if (!isEnd && skip + pageSize < atMost) list(turn, tip, skip + pageSize);
  else {
    state.lookBack = { ...state.lookBack, isDone: true };
    facts.push({ type: 'nothing_found' });
  }
}

function list({ state, effects }: Turn, tip: string, skip: number): void {
  state.lookBack = { tip, skip, page: [], isDone: false };
  effects.push({ type: 'list', tip, skip, limit: pageSize });
}
