import type { Sums } from '../load/sums.ts';

/** `no_data`: there is too little to judge by. */
export type Verdict = 'pass' | 'fail' | 'no_data';

/** What a check found. */
export interface Judgement {
  readonly verdict: Verdict;
  /** One line, with the numbers. */
  readonly message: string;
}

/** A verdict, as the rollout takes it. `at`: milliseconds since the epoch. */
export interface CheckEvent extends Judgement {
  readonly type: 'check';
  readonly at: number;
  /** Of the check: `errors`, or as the operator calls it. */
  readonly name: string;
  /** The fleet's sums before the rollout, to be remembered over a restart. */
  readonly baseline?: Sums;
}
