import { setTimeout as sleep } from 'node:timers/promises';

/** Aborted when the demo is to end: it waits for nothing more. */
export const ending = new AbortController();

/** Waits; rejects when the demo is to end. */
export async function pause(ms: number): Promise<void> {
  await sleep(ms, undefined, { signal: ending.signal });
}
