import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test from 'node:test';
import type { Json } from '../../src/config/config.ts';
import { LedgerError } from '../../src/ledger/ledger-error.ts';
import { openLedgerReadOnly, openStore } from '../../src/ledger/ledger.ts';
import type { StoredRelease } from '../../src/ledger/store.ts';
import { contentToJson } from '../../src/release/content.ts';
import { makeConfig } from '../helpers/config.ts';
import {
  Book,
  epoch,
  failure,
  held,
  live,
  loadAfter,
  manualClock,
  manySeen,
  offered,
  open,
  refusal,
  reopen,
  resource,
  retried,
  seen,
  sha,
  stored,
  success,
  temporary,
} from './support.ts';

function sql(directory: string, text: string): Record<string, unknown>[] {
  const db = new DatabaseSync(path.join(directory, 'ledger.sqlite'), { readOnly: true });
  const rows = db.prepare(text).all();
  db.close();
  return rows;
}

function bytesOf(releases: readonly StoredRelease[] = []): [string, string][] {
  return releases.map(({ release, resource }) => [release.version, Buffer.from(resource).toString()]);
}

test('a new directory and its files are for us alone', async (t) => {
  const directory = path.join(temporary(t), 'a', 'b');
  const book = await open(t, { directory });
  await book.record(...success(1));
  assert.deepEqual(book.journal.health, { ok: true });
  assert.deepEqual(book.notices, []);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  for (const name of ['ledger.sqlite', 'ledger.sqlite-wal', 'ledger.sqlite-shm', 'ledger.lock']) {
    assert.equal(statSync(path.join(directory, name)).mode & 0o777, 0o600, name);
  }
});

test('an empty ledger holds nothing', async (t) => {
  const store = openStore({ directory: temporary(t) });
  assert.deepEqual(await store.load(), { memory: null, releases: [], open: [] });
  assert.deepEqual(await store.history({ limit: 9 }), []);
  assert.equal(await store.story('abcd'), null);
  assert.deepEqual(await store.outcomes([sha(1)]), new Map());
  await store.close();
});

test('all that a restart needs is there again, state and bytes', async (t) => {
  const directory = temporary(t);
  const book = await open(t, { directory });
  await book.record(...success(1));
  await book.record(...failure(2));
  await book.record(seen(3), held(3, 'removes 3 of 4 customers'));
  await book.record({ type: 'accepted', version: sha(4), by: 'ada' }, { type: 'muted', node: 'a', by: 'ada' });
  const before = JSON.stringify(book.memory);
  const again = await reopen(t, book, { directory });
  assert.equal(JSON.stringify(again.memory), before);
  assert.equal(sql(directory, 'SELECT json FROM state')[0]?.json, before, 'byte for byte');
  const loaded = await again.store.load();
  assert.deepEqual(loaded.memory?.rollout.live, { version: sha(1), since: epoch + 1, proven: true });
  assert.deepEqual(loaded.memory.rollout.pins, [{ version: sha(2), cause: { type: 'refused', ...refusal } }]);
  assert.deepEqual(bytesOf(loaded.releases), [[sha(1), 'bytes of 1']]);
  assert.deepEqual(loaded.releases[0]?.release, stored(1).release);
  assert.deepEqual(loaded.open, [
    { version: sha(3), before: null },
    { version: sha(4), before: null },
  ]);
});

test('a restart in the middle of a rollout has the bytes of what was offered, and of what it falls back to', async (t) => {
  const directory = temporary(t);
  const book = await open(t, { directory });
  await book.record(...success(1));
  await book.record(seen(2), offered(2), live(2, { proven: false }));
  await book.record(seen(3), offered(3));
  const again = new Book({ directory });
  await book.journal.close();
  const loaded = await again.load();
  t.after(() => again.journal.close());
  assert.equal(loaded?.memory?.rollout.candidate?.version, sha(3));
  assert.deepEqual(
    bytesOf(loaded.releases).sort(),
    [1, 2, 3].map((n) => [sha(n), `bytes of ${n}`]),
  );
  assert.deepEqual(
    loaded.open.map(({ version }) => version),
    [sha(3)],
  );
  const { events } = await again.story(3);
  assert.deepEqual(
    events.map(({ type }) => type),
    ['revision', 'push_started'],
    'no word of its bytes before it is live',
  );
});

test('a release whose bytes are lost is left out', async (t) => {
  const directory = temporary(t);
  const book = await open(t, { directory });
  book.releases.set(sha(1), null);
  await book.record(...success(1));
  const { memory, releases } = await loadAfter(book, { directory });
  assert.equal(memory?.rollout.live?.version, sha(1));
  assert.deepEqual(releases, []);
});

test('a release comes back as it was, in order, with values that JSON has no words for', async (t) => {
  const directory = temporary(t);
  const runtime = new Map<string, Json>([
    ['z', 1],
    ['a', { list: [null, true, NaN] }],
    ['__proto__', -Infinity],
  ]);
  const next = { config: makeConfig({ totalHosts: 9 }), version: sha(2), cutover: 250, first: new Set(['b', 'a']) };
  const release = { version: sha(1), subject: 's', config: makeConfig({ runtime }), next };
  const kept = { release, resource: resource(1), content: contentToJson(release) };
  const book = await open(t, { directory });
  book.releases.set(sha(1), kept);
  await book.record(...success(1));
  const again = await reopen(t, book, { directory });
  const [loaded] = (await again.store.load()).releases;
  assert.deepEqual({ ...loaded, resource: Buffer.from(loaded!.resource) }, kept);
  assert.deepEqual([...loaded!.release.config.runtime], [...runtime]);
});

test('a batch is all or nothing', async (t) => {
  const directory = temporary(t);
  const book = await open(t, { directory });
  await book.record(...success(1));
  const before = JSON.stringify(book.memory);
  const broken = { ...offered(2), counts: { connected: {} } } as never;
  await assert.rejects(book.store.commit(book.batch([seen(2), broken, seen(3)])), /can't be written/);
  assert.deepEqual(await book.found(), [1]);
  assert.equal(sql(directory, 'SELECT json FROM state')[0]?.json, before);
  assert.equal(sql(directory, 'SELECT count(*) AS n FROM releases')[0]?.n, 1);
});

test('an unproven live release keeps the proven one to fall back to, and none at all can be live', async (t) => {
  const directory = temporary(t);
  const first = await open(t, { directory });
  await first.record(...success(1));
  await first.record(seen(2), offered(2), live(2, { proven: false }));
  const second = await reopen(t, first, { directory });
  assert.deepEqual(second.memory.rollout.live, { version: sha(2), since: epoch + 2, proven: false, fallback: sha(1) });
  assert.deepEqual(
    bytesOf((await second.store.load()).releases)
      .map(([version]) => version)
      .sort(),
    [sha(1), sha(2)],
  );
  await second.record({ type: 'nothing_live' });
  const third = await reopen(t, second, { directory });
  assert.equal(third.live, undefined);
  assert.equal((await third.story(2)).revision.live, false);
});

test('retry takes a pin back, for good', async (t) => {
  const directory = temporary(t);
  const first = await open(t, { directory });
  await first.record(...failure(1));
  assert.equal((await first.story(1)).revision.pinned, true);
  await first.record(...retried(1));
  const second = await reopen(t, first, { directory });
  assert.deepEqual(second.pins, []);
  const { revision, events } = await second.story(1);
  assert.equal(events.at(-1)?.type, 'unpinned');
  assert.equal(events.at(-1)?.by, 'ada');
  assert.equal(revision.pinned, false);
});

test('accepting ends a hold, for good', async (t) => {
  const directory = temporary(t);
  const first = await open(t, { directory });
  const isHeld = async (book: Book) => (await book.story(1)).revision.held;
  await first.record(seen(1), held(1));
  assert.equal(await isHeld(first), true);
  await first.record({ type: 'accepted', version: sha(1), by: 'ada' });
  assert.equal(await isHeld(first), false);
  const second = await reopen(t, first, { directory });
  assert.deepEqual(second.memory.revisions.accepted, [sha(1)]);
  assert.equal(await isHeld(second), false);
  await second.record(held(1, 'the history was rewritten'));
  assert.equal(await isHeld(second), true, 'held again, for something else');
  await second.record(seen(2));
  assert.equal(await isHeld(second), true, 'a newer one does not end it by itself');
});

test('a later outcome ends a hold, and the one before it stands again', async (t) => {
  const directory = temporary(t);
  const first = await open(t, { directory });
  await first.record(...success(1));
  await first.record(seen(2), held(2));
  await first.record(held(1));
  const versions = [sha(1), sha(2), sha(3)];
  assert.deepEqual(await first.journal.outcomes(versions), new Map([[sha(1), 'live']]), 'the one before the hold');
  await first.record(
    { type: 'closed', version: sha(1), outcome: 'live', isNew: false },
    { type: 'closed', version: sha(2), outcome: 'superseded', isNew: true },
  );
  assert.deepEqual(
    await first.journal.outcomes(versions),
    new Map([
      [sha(1), 'live'],
      [sha(2), 'superseded'],
    ]),
  );
  const second = await reopen(t, first, { directory });
  assert.deepEqual(
    (await second.journal.history({ limit: 9 })).map(({ held, outcome }) => [held, outcome]),
    [
      [false, 'superseded'],
      [false, 'live'],
    ],
  );
});

test('what is open is told of with the outcome that it had before it was held, but not what the fleet runs', async (t) => {
  const directory = temporary(t);
  const book = await open(t, { directory });
  await book.record(...success(1), ...success(2), held(1), seen(3), held(3), seen(4));
  await book.record(live(5), ...manySeen(1000, 10));
  const again = await reopen(t, book, { directory });
  const { open: found } = await again.store.load();
  assert.equal(found.length, 1000);
  assert.deepEqual(found[0], { version: sha(10), before: null }, 'the newest 1,000, the oldest of them first');
  await again.record(
    ...Array.from({ length: 1000 }, (_, n) => ({ type: 'superseded', version: sha(10 + n) }) as const),
  );
  const rest = (await again.store.load()).open;
  assert.deepEqual(rest, [
    { version: sha(1), before: 'live' },
    { version: sha(3), before: null },
    { version: sha(4), before: null },
  ]);
});

test('a second daemon on the directory is refused in clear words, and the first goes on', async (t) => {
  const directory = temporary(t);
  const first = await open(t, { directory });
  const isLocked = (error: unknown): boolean =>
    error instanceof LedgerError &&
    error.code === 'ledger-locked' &&
    /another shardplane daemon uses this state directory/.test(error.message);
  await assert.rejects(new Book({ directory }).load(), isLocked);
  await first.record(...success(1));
  assert.deepEqual(first.journal.health, { ok: true });
  await assert.rejects(new Book({ directory }).load(), isLocked);
});

test('a burst of 1,000 revisions is one transaction, in order, and the newest is the head', async (t) => {
  const directory = temporary(t);
  const first = await open(t, { directory });
  await first.record(...manySeen(1000));
  const second = await reopen(t, first, { directory });
  assert.equal(second.memory.revisions.head?.version, sha(999));
  assert.deepEqual(
    await second.found(),
    Array.from({ length: 1000 }, (_, n) => 999 - n),
  );
});

test('a revision that is seen again keeps its outcome and its place', async (t) => {
  const book = await open(t, { directory: temporary(t) });
  await book.record(...success(1), ...success(2), seen(1));
  assert.deepEqual(await book.found(), [2, 1]);
  assert.equal((await book.story(1)).revision.outcome, 'live');
});

test('the ledger can be read beside the daemon and without it', async (t) => {
  const directory = temporary(t);
  const book = await open(t, { directory, clock: manualClock().read });
  await book.record(...success(1));
  const beside = openLedgerReadOnly(directory);
  const entries = await beside.history({ limit: 10 });
  await beside.close();
  assert.equal(entries[0]?.live, true);
  assert.deepEqual(entries, await book.journal.history({ limit: 10 }));
  await book.journal.close();
  const without = openLedgerReadOnly(directory);
  assert.deepEqual(await without.history({ limit: 10 }), entries);
  assert.notEqual(await without.story(sha(1).slice(0, 8)), null);
  await without.close();
});

test('reading where there is no ledger says so', (t) => {
  assert.throws(() => openLedgerReadOnly(temporary(t)), { code: 'ledger-missing' });
});

test('bytes are written once, other bytes under the same version again', async (t) => {
  const directory = temporary(t);
  const book = await open(t, { directory });
  const order = () => sql(directory, 'SELECT stored_id FROM releases WHERE version = ' + `'${sha(1)}'`)[0]?.stored_id;
  await book.record(seen(1), offered(1));
  await book.record(live(1, { proven: false, isSettled: false }));
  await book.record(live(1, { isNew: false, isSettled: false }));
  assert.equal(order(), 1);
  const { events } = await book.story(1);
  assert.deepEqual(
    events.map(({ type }) => type),
    ['revision', 'push_started', 'outcome', 'release', 'live', 'live'],
  );
  book.releases.set(sha(1), { ...stored(1), resource: Buffer.from('other bytes') });
  await book.record();
  assert.equal(order(), 2);
  assert.deepEqual(bytesOf((await loadAfter(book, { directory })).releases), [[sha(1), 'other bytes']]);
  await open(t, { directory });
  assert.equal(order(), 3, 'what a restart has compiled anew is written, too');
});

test('who is muted is remembered, and since when, and by whom', async (t) => {
  const directory = temporary(t);
  const book = await open(t, { directory, clock: manualClock().read });
  const mute = (type: 'muted' | 'unmuted', node: string) => ({ type, node, by: 'ada' }) as const;
  await book.record(mute('muted', 'a'), mute('muted', 'b'), mute('unmuted', 'b'));
  const again = await reopen(t, book, { directory });
  assert.deepEqual(again.memory.rollout.muted, ['a']);
  assert.deepEqual(
    sql(directory, 'SELECT * FROM muted').map((row) => ({ ...row })),
    [{ node: 'a', at: epoch, by: 'ada' }],
  );
});
