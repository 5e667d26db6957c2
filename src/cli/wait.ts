import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../failures.ts';
import { count } from '../config/words.ts';
import type { Status } from '../http/api.ts';
import { short } from '../release/short.ts';

/** Each poll reads the whole status, so not too often. */
const polls = { firstMs: 50, longestMs: 1_000 };

/**
 * Polls until the newest commit is decided (after a retry: until every Envoy that is asked has answered), or needs a person to go on; for
 * `waitMs` at most.
 */
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

function isDecided(status: Status, verb: string): boolean {
  const { head, counts } = status;
  if (needsOperator(status)) return true;
  if (verb === 'retry') return counts.pending === 0 && (head?.outcome !== null || isBaking(status));
  return head?.outcome !== null;
}

/** The first wave has answered, and it may take hours until it is decided. */
function isBaking({ rollout }: Partial<Status>): boolean {
  return rollout?.phase === 'baking' && rollout.paused === null;
}

/** Without a person it doesn't go on. */
function needsOperator({ rollout }: Partial<Status>): boolean {
  if (rollout == null) return false; // an older daemon doesn't say
  return (
    rollout.paused !== null || (rollout.phase === 'waiting' && rollout.waitsFor?.startsWith('an operator') === true)
  );
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
      return `${name} ${whyBack[head.diagnostics[0]?.code ?? ''] ?? 'was refused by an Envoy'}: it is rolled back`;
    case 'held':
      return `${name} is held: it waits for ${status.freeze?.reason === undefined ? 'you' : 'the end of the freeze, or for you'}`;
    case 'superseded':
      return `${name} is superseded: it is not what the fleet runs`;
    case null:
      return isWaiting && !(verb === 'retry' && isBaking(status))
        ? `${name} is not decided yet: ${whatFor(status)}`
        : null;
  }
}

/** By the code of the head's diagnostic. */
const whyBack: Readonly<Record<string, string>> = {
  'check-failed': 'was found bad by a check',
  aborted: 'was aborted',
};

function whatFor({ rollout = null, counts }: Partial<Status> & Pick<Status, 'counts'>): string {
  if (rollout?.waitsFor == null) return `${count(counts.pending, 'node')} to answer`;
  const { wave, waves, waitsFor } = rollout;
  return `${waves.length > 1 ? `wave ${wave} of ${waves.length}, ` : ''}it waits for ${waitsFor}`;
}
