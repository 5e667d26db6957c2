import { setTimeout as sleep } from 'node:timers/promises';

/** Polls until `probe` returns something truthy, and returns that; throws with `what` after the deadline (30 s). */
export async function until<T>(what: string, probe: () => T | Promise<T>, timeoutMs = 30_000): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const seen = await probe();
    if (seen) return seen;
    if (Date.now() > deadline) throw new Error(`not seen in ${timeoutMs} ms: ${what}`);
    await sleep(5);
  }
}
