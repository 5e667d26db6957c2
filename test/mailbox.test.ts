import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMailbox } from '../src/mailbox.ts';
import { until } from './helpers/until.ts';

test('a hundred calls while one runs become one more', async () => {
  let runs = 0;
  let release: (() => void) | null = null;
  const mailbox = createMailbox(async () => {
    runs += 1;
    await new Promise<void>((resolve) => (release = resolve));
  }, 0);
  const first = mailbox.now();
  const more = Array.from({ length: 100 }, () => mailbox.now());
  for (let at = 0; at < 100; at++) mailbox.post();
  release!();
  await first;
  await until('the second run', () => runs === 2);
  release!();
  await Promise.all(more);
  assert.equal(runs, 2);
});

test('closing waits for what runs, and takes no more', async () => {
  let runs = 0;
  const mailbox = createMailbox(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    runs += 1;
  }, 0);
  void mailbox.now();
  void mailbox.now();
  await mailbox.close();
  assert.equal(runs, 1);
  mailbox.post();
  await mailbox.now();
  assert.equal(runs, 1);
});
