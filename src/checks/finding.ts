import type { CheckEvent } from '../rollout/types.ts';

/** What a check found, and one line about it with the numbers. */
export type Finding = Pick<CheckEvent, 'verdict' | 'message'>;
