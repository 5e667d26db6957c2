import assert from 'node:assert/strict';
import test from 'node:test';
import { Outbox } from '../../src/feedback/outbox.ts';
import type { CommitStatus } from '../../src/feedback/commit-status.ts';

test('of one commit so many pending statuses are sent, and then only how it ends', () => {
  const outbox = new Outbox('github');
  const sent: string[] = [];
  let now = 0;
  const tell = (status: CommitStatus): void => {
    outbox.put(status, now);
    const next = outbox.next((now += 1_000));
    if (next === null || 'waitMs' in next) return;
    outbox.accepted(next);
    sent.push(next.status.description);
  };
  const of = (version: string, each: number): CommitStatus => ({ version, state: 'pending', description: `${each}` });
  for (let each = 1; each <= 150; each += 1) tell(of('a', each));
  assert.deepEqual([sent.length, sent.at(-1)], [100, '100']);
  tell(of('b', 7));
  tell({ version: 'a', state: 'success', description: 'live' });
  assert.deepEqual(sent.slice(100), ['7', 'live']);
});
