import type { Fact } from '../../src/state/facts.ts';
import { failure, retried, success } from './support.ts';

/** One turn of a daemon, by its number: every third commit is refused, every seventh of those is taken up again by an operator. */
export function turn(n: number): Fact[] {
  if (!isRefused(n)) return success(n);
  return isRetried(n) ? [...failure(n), ...retried(n)] : failure(n);
}

export function isRefused(n: number): boolean {
  return n % 3 === 0;
}

export function isRetried(n: number): boolean {
  return n % 21 === 0;
}

/** The newest turn up to `n` that went live. */
export function liveAfter(n: number): number {
  return isRefused(n) ? n - 1 : n;
}
