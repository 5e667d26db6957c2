import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../failures.ts';
import { count } from '../config/words.ts';
import type { Status } from '../http/api.ts';
import { short } from '../release/short.ts';

/** Each poll reads the whole status, so not too often. */
const polls = { firstMs: 50, longestMs: 1_000 };

/** Polls until the newest commit is decided (after a retry: until every Envoy has answered), for `waitMs` at most. */
export async function waitForOutcome(
  read: () => Promise<Status>,
  { verb, waitMs }: { verb: string; waitMs: number },
): Promise<Status> {
  const deadline = Date.now() + waitMs;
  for (let poll = 1; ; poll += 1) {
    const status = await read();
    const left = deadline - Date.now();
    if (isDecided(status, verb) || left <= 0) return status;
    await sleep(Math.min(backoffMs(poll, polls), left));
  }
}

function isDecided({ head, counts }: Status, verb: string): boolean {
  return head?.outcome !== null && (verb !== 'retry' || counts.pending === 0);
}

/** Why the fleet doesn't run the newest commit, for the operator; null when it does, or when nobody waits to know. */
export function faultOf(status: Status, { verb, isWaiting }: { verb: string; isWaiting: boolean }): string | null {
  const { head, counts } = status;
  if (head === null) return 'there is no revision yet';
  const name = short(head.version);
  const refusing = counts.refusing > 0 && verb === 'retry' && isWaiting;
  switch (head.outcome) {
    case 'live':
      return refusing
        ? `${count(counts.refusing, 'node')} still refuse${counts.refusing === 1 ? 's' : ''} ${name}`
        : null;
    case 'invalid':
      return `${name} is invalid: it is not pushed`;
    case 'rolled_back':
      return `${name} was refused by an Envoy: it is rolled back`;
    case 'held':
      return `${name} is held: it waits for you`;
    case 'superseded':
      return `${name} is superseded: it is not what the fleet runs`;
    case null:
      return isWaiting ? `${name} is not decided yet: ${count(counts.pending, 'node')} to answer` : null;
  }
}
