import { count } from '../config/words.ts';
import type { Sums } from '../load/sums.ts';
import type { CheckSettings } from '../rollout/plan.ts';
import type { Finding } from './finding.ts';

export type ErrorSettings = NonNullable<CheckSettings['errors']>;

/**
 * So many errors at least make a fail: with few requests, each would be more than the points allow, and every fleet has a stray one.
 * At 100 requests that is 3 %; from 600 on, half a percent.
 */
export const leastErrors = 3;

export interface Compared {
  /** Of the nodes that have the candidate. */
  readonly wave: Sums;
  readonly rest: Sums;
  readonly settings: ErrorSettings;
  /** Where the rest is from, for the message. */
  readonly where?: 'elsewhere' | 'before the rollout';
}

/** Fails a wave that has more errors than the rest by the ratio and by the points (percent). */
export function judgeErrors({ wave, rest, settings, where = 'elsewhere' }: Compared): Finding {
  const least = Math.max(1, settings.requests);
  if (wave.requests < least || rest.requests < least)
    return {
      verdict: 'no_data',
      message: `${count(wave.requests, 'request')} in the wave, ${amount(rest.requests)} ${where}: a verdict needs ${amount(least)} of each`,
    };
  const [ours, theirs] = [percentOf(wave), percentOf(rest)];
  const isWorse = ours > theirs * settings.ratio && ours - theirs > settings.points;
  return {
    verdict: isWorse && wave.errors >= leastErrors ? 'fail' : 'pass',
    message: `errors ${show(ours)} % of ${count(wave.requests, 'request')} in the wave, ${show(theirs)} % of ${amount(rest.requests)} ${where}`,
  };
}

function percentOf({ requests, errors }: Sums): number {
  return (errors / requests) * 100;
}

function show(percent: number): string {
  return percent.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}

function amount(requests: number): string {
  return requests.toLocaleString('en-US');
}
