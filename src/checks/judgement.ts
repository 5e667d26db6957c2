import type { CheckEvent } from '../rollout/types.ts';

/** What a check found, and one line about it with the numbers. */
export type Judgement = Pick<CheckEvent, 'verdict' | 'message'>;
