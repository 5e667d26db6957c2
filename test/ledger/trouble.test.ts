import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test from 'node:test';
import {
  Book,
  failure,
  manualClock,
  manySeen,
  numberOf,
  open,
  reopen,
  resource,
  retried,
  seen,
  sha,
  storyLength,
  success,
  temporary,
} from './support.ts';

const aside = 'ledger.sqlite.corrupt-20260101T000000Z';

/** A ledger of 50 revisions, closed. */
async function written(directory: string): Promise<string> {
  const book = new Book({ directory });
  await book.load();
  for (let n = 1; n <= 50; n += 1) await book.record(...success(n));
  await book.journal.close();
  return path.join(directory, 'ledger.sqlite');
}

function reasonOf({ journal: { health } }: Book): string {
  assert.ok(!health.ok);
  return health.reason;
}

function overwrite(file: string, at: number, bytes: Buffer): void {
  const descriptor = openSync(file, 'r+');
  writeSync(descriptor, bytes, 0, bytes.length, at);
  closeSync(descriptor);
}

const damages: Record<string, (file: string) => void> = {
  'text instead of a database': (file) => writeFileSync(file, 'no database, and longer than a header. '.repeat(99)),
  'a header of zeros': (file) => overwrite(file, 0, Buffer.alloc(100)),
  'a truncated file': (file) => truncateSync(file, 3 * 4096 + 17),
  'a page of noise': (file) => overwrite(file, 2 * 4096, Buffer.alloc(4096, 0xa5)),
  'a table that is gone': (file) => sql(file, 'PRAGMA foreign_keys = OFF; DROP TABLE events'),
  'a table that is empty': (file) => sql(file, 'DELETE FROM state'),
  'a state that is no JSON': (file) => sql(file, `UPDATE state SET json = '{"revisions":'`),
  'a state of something else': (file) => sql(file, "UPDATE state SET json = '7'"),
  'a database of another program': (file) => sql(file, 'PRAGMA application_id = 77'),
  'a content that is no JSON': (file) => sql(file, `UPDATE releases SET content = '{"config":'`),
  'a content of something else': (file) => sql(file, `UPDATE releases SET content = '[["a",1]]'`),
};

function sql(file: string, text: string): void {
  const db = new DatabaseSync(file);
  db.exec(text);
  db.close();
}

for (const [damage, inflict] of Object.entries(damages)) {
  test(`${damage}: set aside, said, and begun anew`, async (t) => {
    const directory = temporary(t);
    const file = await written(directory);
    inflict(file);
    const broken = readFileSync(file);
    const book = await open(t, { directory, clock: manualClock().read });
    assert.equal(book.notices.length, 1);
    assert.match(
      book.notices[0]!,
      /ledger\.sqlite is not a valid ledger \(.+\): it was renamed to .*corrupt-20260101T000000Z, and a new ledger was started$/,
    );
    assert.deepEqual(readFileSync(path.join(directory, aside)), broken);
    assert.equal(book.live, undefined);
    await book.record(...success(1));
    assert.deepEqual(book.journal.health, { ok: true });
    assert.deepEqual(await book.found(), [1]);
  });
}

test('an empty file is a new ledger', async (t) => {
  const directory = temporary(t);
  writeFileSync(path.join(directory, 'ledger.sqlite'), '');
  const book = await open(t, { directory });
  assert.deepEqual(book.notices, []);
  await book.record(...success(1));
  assert.deepEqual(book.journal.health, { ok: true });
});

test('only the newest three damaged files are kept, and a stray log does no harm', async (t) => {
  const directory = temporary(t);
  const clock = manualClock();
  for (let n = 0; n < 5; n += 1) {
    writeFileSync(path.join(directory, 'ledger.sqlite'), 'no database '.repeat(99));
    writeFileSync(path.join(directory, 'ledger.sqlite-wal'), `log ${n}`);
    const book = new Book({ directory, clock: clock.read });
    assert.equal((await book.load())?.memory, null);
    await book.journal.close();
    clock.now += 1000;
  }
  const kept = readdirSync(directory).filter((name) => /corrupt-[^-]*$/.test(name));
  assert.deepEqual(
    kept.sort(),
    ['02', '03', '04'].map((second) => aside.replace('00Z', `${second}Z`)),
  );
});

test('a ledger of a newer shardplane is refused and not touched', async (t) => {
  const directory = temporary(t);
  const file = await written(directory);
  const version = new DatabaseSync(file).prepare('PRAGMA user_version').get()?.user_version;
  sql(file, 'PRAGMA user_version = 99');
  const before = readFileSync(file);
  await assert.rejects(new Book({ directory }).load(), {
    code: 'ledger-newer',
    message: /written by a newer shardplane \(schema 99, this one knows \d+\)/,
  });
  assert.deepEqual(readFileSync(file), before);
  sql(file, `PRAGMA user_version = ${Number(version)}`);
  assert.equal((await open(t, { directory })).live, sha(50), 'the lock was let go');
});

test('something else than a file in its place: works in memory, says so, and recovers by itself', async (t) => {
  const directory = temporary(t);
  const file = path.join(directory, 'ledger.sqlite');
  mkdirSync(file);
  const clock = manualClock();
  const book = await open(t, { directory, clock: clock.read });
  await book.record(...success(1));
  await book.record(...failure(2));
  assert.match(
    reasonOf(book),
    /the ledger in .* can't be written: .*ledger\.sqlite is not a regular file; pushing goes on/,
  );
  await assertRemembers(book);

  rmSync(file, { recursive: true });
  clock.now += 60_000;
  await book.record(seen(3));
  assert.deepEqual(book.journal.health, { ok: true });
  await assertRemembers(await reopen(t, book, { directory }));
});

/** After success(1) and failure(2). */
async function assertRemembers(book: Book): Promise<void> {
  assert.equal(book.live, sha(1));
  assert.deepEqual(book.pins, [sha(2)]);
  const history = await book.journal.history({ limit: 9 });
  assert.deepEqual(
    history
      .filter(({ version }) => version !== sha(3))
      .map(({ version, outcome, live, pinned }) => [numberOf(version), outcome, live, pinned]),
    [
      [2, 'rolled_back', false, true],
      [1, 'live', true, false],
    ],
  );
}

test('no more than 10,000 facts wait in memory, and the state outlives those that are given up', async (t) => {
  const directory = temporary(t);
  const file = path.join(directory, 'ledger.sqlite');
  mkdirSync(file);
  const clock = manualClock();
  const book = await open(t, { directory, clock: clock.read });
  await book.record(...success(1));
  await book.record(...failure(2), { type: 'muted', node: 'a', by: 'ada' });
  for (let n = 0; n < 11; n += 1) await book.record(...manySeen(1000, 1000 * (n + 1)));
  const { health } = book.journal;
  assert.ok(!health.ok);
  assert.equal(health.waiting, 10_000);
  assert.equal(health.lost, 1000 + success(1).length + failure(2).length + 1);
  assert.equal(book.healths.at(-1)?.ok, false);

  rmSync(file, { recursive: true });
  clock.now += 60_000;
  await book.journal.flush();
  assert.deepEqual(book.journal.health, { ok: true });
  const again = await reopen(t, book, { directory });
  assert.equal(again.live, sha(1));
  assert.deepEqual(again.pins, [sha(2)]);
  assert.equal(again.memory.revisions.head?.version, sha(11_999));
  assert.deepEqual(Buffer.from((await again.store.load()).releases[0]!.resource), resource(1));
  assert.deepEqual(await again.found({ limit: 1 }), [11_999]);
  const { revision } = await again.story(2);
  assert.equal(revision.pinned, true, 'it has its row');
  assert.ok(revision.id < 9, 'before what was seen after it');
  const db = new DatabaseSync(file, { readOnly: true });
  assert.equal(db.prepare('SELECT node FROM muted').get()?.node, 'a');
  db.close();
});

test('what became of the head is known, though the fact of it was given up', async (t) => {
  const directory = temporary(t);
  const file = await written(directory);
  renameSync(file, `${file}.away`);
  mkdirSync(file);
  const clock = manualClock();
  const book = await open(t, { directory, clock: clock.read });
  await book.record(...success(51));
  await book.record(
    ...Array.from({ length: 10_001 }, () => ({ type: 'unanswered', version: sha(51), node: 'a' }) as const),
  );
  rmSync(file, { recursive: true });
  renameSync(`${file}.away`, file);
  clock.now += 60_000;
  const { revision, events } = await book.story(51);
  assert.deepEqual(book.journal.health, { ok: true });
  assert.equal(revision.outcome, 'live');
  assert.deepEqual(
    events.map(({ type }) => type),
    ['outcome'],
  );
});

test('a pin that was taken back in a fact that was given up does not come back', async (t) => {
  const directory = temporary(t);
  const clock = manualClock();
  const retention = { ageMs: Infinity, revisions: 1e9, releases: 10 };
  const book = await open(t, { directory, clock: clock.read, retention });
  await book.record(...failure(1), ...failure(2));
  const other = new DatabaseSync(path.join(directory, 'ledger.sqlite'));
  other.exec('BEGIN IMMEDIATE');
  await book.record(...retried(1));
  await book.record(...manySeen(9_999, 100));
  const { health } = book.journal;
  assert.ok(!health.ok);
  assert.equal(health.lost, 1);
  other.close();
  clock.now += 60_000;
  await book.journal.flush();
  assert.deepEqual(book.journal.health, { ok: true });
  const again = await reopen(t, book, { directory });
  assert.deepEqual(again.pins, [sha(2)]);
  assert.equal((await again.story(1)).revision.pinned, false);
});

test('a file that is damaged while it is open is set aside, and what is in memory written anew', async (t) => {
  const directory = temporary(t);
  const file = await written(directory);
  const clock = manualClock();
  const book = await open(t, { directory, clock: clock.read });
  await book.record(...success(1), ...failure(2));
  // A change by another connection makes SQLite forget its cached pages: the next write reads the noise.
  sql(file, 'CREATE TABLE foreign_table (a); PRAGMA wal_checkpoint(TRUNCATE)');
  overwrite(file, 4096, Buffer.alloc(statSync(file).size - 4096, 0xa5));
  await book.record(...success(51));
  assert.match(reasonOf(book), /the file is damaged/);
  assert.deepEqual(await book.found(), [51, 2], 'what memory has: what waits, and what is pinned');

  clock.now += 60_000;
  await book.journal.flush();
  assert.deepEqual(book.journal.health, { ok: true });
  assert.equal(book.notices.length, 1);
  const again = await reopen(t, book, { directory });
  assert.equal(again.live, sha(51));
  assert.deepEqual(
    (await again.store.load()).releases.map(({ release }) => release.version),
    [sha(51)],
  );
  assert.deepEqual(again.pins, [sha(2)]);
  const [entry] = await again.journal.history({ limit: 1 });
  assert.equal(entry?.outcome, 'live');
});

test('another program that has locked the database delays the ledger, and loses nothing', async (t) => {
  const directory = temporary(t);
  const clock = manualClock();
  const book = await open(t, { directory, clock: clock.read });
  await book.record(...success(1));
  const other = new DatabaseSync(path.join(directory, 'ledger.sqlite'));
  other.exec('BEGIN IMMEDIATE');
  await book.record(...failure(2));
  assert.match(reasonOf(book), /another program has locked the database/);
  assert.deepEqual(await book.found(), [1], 'the file can be read');
  other.close();
  clock.now += 60_000;
  await book.journal.flush();
  assert.deepEqual(book.journal.health, { ok: true });
  assert.equal((await book.story(2)).revision.pinned, true);
});

const nobody = 65534;

/** Runs `work` as a user whom permissions bind (they don't bind root). The directory is that user's. */
async function unprivileged(directory: string, work: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return work();
  const names = readdirSync(directory, { recursive: true }) as string[];
  for (const name of ['.', ...names]) chownSync(path.join(directory, name), nobody, nobody);
  process.seteuid?.(nobody);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
  }
}

test('a read-only directory: what it holds counts, what happens is kept in memory, and is written once it can be', async (t) => {
  const directory = temporary(t);
  const before = new Book({ directory });
  await before.load();
  await before.record(...success(1), ...failure(2));
  await before.journal.close();
  rmSync(path.join(directory, 'ledger.lock'));
  const clock = manualClock();
  await unprivileged(directory, async () => {
    chmodSync(path.join(directory, 'ledger.sqlite'), 0o400);
    chmodSync(directory, 0o500);
    const book = await open(t, { directory, clock: clock.read });
    assert.match(reasonOf(book), /can't be written: .*(EACCES|read-only|can't be opened)/);
    await assertRemembers(book);
    await book.record(...success(3));

    chmodSync(directory, 0o700);
    clock.now += 60_000;
    await book.journal.flush();
    assert.deepEqual(book.journal.health, { ok: true });
    const again = await reopen(t, book, { directory });
    assert.equal(again.live, sha(3));
    assert.deepEqual(again.pins, [sha(2)]);
    assert.deepEqual(await again.found(), [3, 2, 1]);
    await again.journal.close();
  });
});

test('a directory that appears later: the pins that its ledger holds are not lost', async (t) => {
  const directory = temporary(t);
  const mount = path.join(directory, 'mount');
  const before = new Book({ directory: mount });
  await before.load();
  await before.record(...success(1), ...failure(2));
  await before.journal.close();
  const clock = manualClock();
  await unprivileged(directory, async () => {
    chmodSync(directory, 0o000);
    const book = await open(t, { directory: mount, clock: clock.read });
    assert.ok(!book.journal.health.ok);
    assert.equal(book.live, undefined);
    await book.record(...failure(3));
    assert.deepEqual(book.pins, [sha(3)]);

    chmodSync(directory, 0o700);
    clock.now += 60_000;
    await book.journal.flush();
    assert.deepEqual(book.journal.health, { ok: true });
    assert.deepEqual(book.pins, [sha(2), sha(3)]);
    const again = await reopen(t, book, { directory: mount });
    assert.equal(again.live, sha(1));
    assert.deepEqual(again.pins, [sha(2), sha(3)]);
    assert.deepEqual(
      (await again.store.load()).releases.map(({ release }) => release.version),
      [sha(1)],
    );
    assert.equal((await again.story(3)).events.length, storyLength);
    await again.journal.close();
  });
});

test('the directory is deleted while the daemon runs: a new ledger is begun with what is served', async (context) => {
  const directory = temporary(context);
  const book = await open(context, { directory });
  await book.record(...success(1));
  rmSync(directory, { recursive: true });
  await book.record(...success(2));
  assert.ok(book.journal.health.ok);
  assert.match(book.notices.join(), /^\S+ledger\.sqlite was deleted: a new ledger is begun/);
  await book.record(...success(3));
  const after = await reopen(context, book, { directory });
  assert.equal(book.notices.length, 1);
  assert.equal(after.live, sha(3));
  const versions = (await after.journal.history({ limit: 10 })).map(({ version }) => numberOf(version));
  assert.deepEqual(versions, [3, 2]);
});
