import { pause } from './pause.ts';
import type { RolloutState } from './state.ts';
import type { Rollout } from './turn.ts';
import type { Cause, CheckEvent } from './types.ts';

/** How many of the last verdicts count, and how many failures among them are too many. */
const counted = 5;
const tooMany = 3;
/** A rollout is paused after so long without data. */
const maxSilenceMs = 10 * 60 * 1000;
const maxMessage = 500;

/** Remembers a verdict; returns why the candidate has to be rolled back, or null. */
export function hear({ state, at, facts }: Rollout, { name, verdict, baseline, ...event }: CheckEvent): Cause | null {
  const { candidate } = state;
  if (candidate === null || candidate.offered === null) return null;
  const message = event.message.slice(0, maxMessage);
  const check = state.checks.get(name) ?? { recent: [], message, noDataSince: null };
  // Before the first report there is nothing to say.
  if ((check.recent.at(-1) ?? 'no_data') !== verdict)
    facts.push({ type: 'check', version: candidate.version, name, verdict, message });
  check.recent.push(verdict);
  if (check.recent.length > counted) check.recent.shift();
  check.message = message;
  check.noDataSince = verdict === 'no_data' ? (check.noDataSince ?? at) : null;
  state.checks.set(name, check);
  if (!candidate.checks.includes(name)) state.candidate = { ...candidate, checks: [...candidate.checks, name] };
  if (baseline !== undefined && state.candidate !== null) state.candidate = { ...state.candidate, baseline };
  const failures = check.recent.filter((each) => each === 'fail').length;
  return failures >= tooMany ? { type: 'check', name, message } : null;
}

/** Checks without a pass as their last verdict: no wave ends before they have one. */
export function openChecks({ candidate, checks }: RolloutState): string[] {
  return (candidate?.checks ?? []).filter((name) => checks.get(name)?.recent.at(-1) !== 'pass');
}

/** Checks without data get their full time again. */
export function waitForData({ checks }: RolloutState, at: number): void {
  for (const check of checks.values()) if (check.noDataSince !== null) check.noDataSince = at;
}

/** When the first check will have been without data for too long; Infinity: none will. */
export function silenceDeadline({ candidate, checks }: RolloutState): number {
  if (candidate === null || candidate.paused !== null || candidate.phase.type === 'waiting') return Infinity;
  const since = [...checks.values()].map(({ noDataSince }) => noDataSince ?? Infinity);
  return Math.min(Infinity, ...since) + maxSilenceMs;
}

/** Pauses a rollout about which a check has known nothing for too long. */
export function pauseIfSilent(rollout: Rollout): void {
  const { state, at } = rollout;
  if (silenceDeadline(state) > at) return;
  const silent = [...state.checks].find(([, { noDataSince }]) => (noDataSince ?? Infinity) + maxSilenceMs <= at);
  if (silent === undefined) return;
  const [name, { message }] = silent;
  pause(rollout, { reason: 'no_data', why: `check ${name} has had no data for 10 minutes: ${message}` });
}
