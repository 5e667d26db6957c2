import { setTimeout as sleep } from 'node:timers/promises';

/** Aborted when the demo has to end. */
export const ending = new AbortController();

/** Waits; rejects when the demo has to end. */
export async function pause(ms: number): Promise<void> {
  await sleep(ms, undefined, { signal: ending.signal });
}
