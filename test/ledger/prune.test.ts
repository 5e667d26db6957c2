import assert from 'node:assert/strict';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import test from 'node:test';
import type { Retention } from '../../src/ledger/sqlite/prune.ts';
import {
  failure,
  held,
  live,
  manualClock,
  manySeen,
  offered,
  open,
  reopen,
  seen,
  sha,
  success,
  temporary,
} from './support.ts';

const day = 24 * 60 * 60 * 1000;

async function bookWith(t: TestContext, given: Partial<Retention>) {
  const clock = manualClock();
  const directory = temporary(t);
  const retention = { ageMs: Infinity, revisions: 1e9, releases: 10, ...given };
  const options = { directory, clock: clock.read, retention };
  const book = await open(t, options);
  return { book, clock, directory, options };
}

function rows(directory: string, table: string): number {
  const db = new DatabaseSync(path.join(directory, 'ledger.sqlite'), { readOnly: true });
  const row = db.prepare(`SELECT count(*) AS n FROM ${table}`).get();
  db.close();
  return Number(row?.n);
}

test('the newest revisions are kept, and whatever the state names', async (t) => {
  const { book, directory, options } = await bookWith(t, { revisions: 3 });
  await book.record(...success(1));
  await book.record(...failure(2), seen(4), offered(4), live(4, { proven: false }));
  await book.record(seen(5), offered(5));
  for (let n = 10; n < 20; n += 1) await book.record(seen(n), { type: 'invalid', version: sha(n), diagnostics: [] });
  assert.deepEqual((await book.found()).length, 14, 'it is done now and then');
  const again = await reopen(t, book, options);
  await again.record(seen(3), held(3));
  assert.deepEqual(await again.found(), [3, 19, 18, 5, 4, 2, 1], 'with the first commit');
  assert.equal(rows(directory, `events WHERE version = '${sha(10)}'`), 0, 'its story went with it');
  const third = await reopen(t, again, options);
  await third.record(live(5), seen(20));
  assert.deepEqual(await third.found(), [20, 3, 19, 5, 2], 'neither live, nor what is fallen back to any more');
});

test('revisions beyond an age are forgotten, the head never', async (t) => {
  const { book, clock, options } = await bookWith(t, { ageMs: 30 * day });
  await book.record(seen(1));
  clock.now += 20 * day;
  await book.record(seen(2));
  clock.now += 20 * day;
  const again = await reopen(t, book, options);
  await again.record({ type: 'held', version: sha(2), reason: 'shrinks', diagnostics: [] });
  assert.deepEqual(await again.found(), [2]);
  clock.now += 400 * day;
  const third = await reopen(t, again, options);
  await third.record({ type: 'accepted', version: sha(2), by: 'ada' });
  assert.deepEqual(third.journal.health, { ok: true });
  assert.deepEqual(await third.found(), [2]);
});

test('recording prunes by itself, at most 1,000 at once', async (t) => {
  const { book } = await bookWith(t, { revisions: 50 });
  for (let n = 0; n < 1000; n += 1) await book.record(seen(n));
  const kept = (await book.found()).length;
  assert.ok(kept <= 150, String(kept));
  await book.record(...manySeen(3000, 2000));
  await book.record(...manySeen(100, 9000));
  await book.record(...manySeen(100, 9100));
  await book.record(...manySeen(100, 9200));
  await book.record(...manySeen(100, 9300));
  assert.deepEqual(
    await book.found(),
    Array.from({ length: 50 }, (_, n) => 9399 - n),
  );
});

test('the bytes of old releases are forgotten, those of the live and the proven one never', async (t) => {
  const { book, directory, options } = await bookWith(t, { releases: 3 });
  await book.record(...success(1));
  await book.record(seen(2), offered(2), live(2, { proven: false }));
  for (let n = 3; n < 20; n += 1) await book.record(...failure(n).slice(0, 2));
  assert.equal(rows(directory, 'releases'), 5);
  await book.record({
    type: 'rolled_back',
    version: sha(19),
    cause: { type: 'refused', node: 'a', code: 13, message: 'no' },
    counts: live(1).counts,
  });
  const again = await reopen(t, book, options);
  assert.deepEqual((await again.store.load()).releases.map(({ release }) => release.version).sort(), [sha(1), sha(2)]);
  assert.equal((await again.found()).length, 19, 'only bytes were forgotten');
});
