import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test from 'node:test';
import { openLedger } from '../../src/ledger/ledger.ts';
import type { Ledger } from '../../src/ledger/types.ts';
import { failure, manualClock, open, resource, revision, sha, success, temporary } from './support.ts';

const aside = 'ledger.sqlite.corrupt-20260101T000000Z';

/** Ledgers with 50 revisions, closed. */
function written(directory: string): string {
  const ledger = openLedger({ directory });
  for (let n = 1; n <= 50; n += 1) ledger.recordAll(success(n));
  ledger.close();
  return path.join(directory, 'ledger.sqlite');
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
  'a table that is gone': (file) => sql(file, 'PRAGMA foreign_keys = OFF; DROP TABLE marks'),
  'a table that is empty': (file) => sql(file, 'DELETE FROM fleet'),
  'a database of another program': (file) => sql(file, 'PRAGMA application_id = 77'),
  'fields that are no JSON': (file) => sql(file, `UPDATE releases SET fields = '[["a",'`),
};

function sql(file: string, text: string): void {
  const db = new DatabaseSync(file);
  db.exec(text);
  db.close();
}

for (const [damage, inflict] of Object.entries(damages)) {
  test(`${damage}: set aside, said, and begun anew`, (t) => {
    const directory = temporary(t);
    const file = written(directory);
    inflict(file);
    const broken = readFileSync(file);
    const ledger = open(t, { directory, clock: manualClock().read });
    assert.equal(ledger.notices.length, 1);
    assert.match(
      ledger.notices[0]!,
      /ledger\.sqlite was not a sound ledger \(.+\): it is now .*corrupt-20260101T000000Z, and a new one begins$/,
    );
    assert.deepEqual(readFileSync(path.join(directory, aside)), broken);
    assert.equal(ledger.restore().live, null);
    ledger.recordAll(success(1));
    assert.deepEqual(ledger.health, { ok: true });
    assert.equal(ledger.history({ limit: 9 }).length, 1);
  });
}

test('an empty file is a new ledger', (t) => {
  const directory = temporary(t);
  writeFileSync(path.join(directory, 'ledger.sqlite'), '');
  const ledger = open(t, { directory });
  assert.deepEqual(ledger.notices, []);
  ledger.recordAll(success(1));
  assert.deepEqual(ledger.health, { ok: true });
});

test('only the newest three damaged files are kept, and a stray log does no harm', (t) => {
  const directory = temporary(t);
  const clock = manualClock();
  for (let n = 0; n < 5; n += 1) {
    writeFileSync(path.join(directory, 'ledger.sqlite'), 'no database '.repeat(99));
    writeFileSync(path.join(directory, 'ledger.sqlite-wal'), `log ${n}`);
    openLedger({ directory, clock: clock.read }).close();
    clock.now += 1000;
  }
  const kept = readdirSync(directory).filter((name) => /corrupt-[^-]*$/.test(name));
  assert.deepEqual(
    kept.sort(),
    ['02', '03', '04'].map((second) => aside.replace('00Z', `${second}Z`)),
  );
});

test('a ledger of a newer shardplane is refused and not touched', (t) => {
  const directory = temporary(t);
  const file = written(directory);
  sql(file, 'PRAGMA user_version = 99');
  const before = readFileSync(file);
  assert.throws(() => openLedger({ directory }), {
    code: 'ledger-newer',
    message: /written by a newer shardplane \(schema 99, this one knows \d+\)/,
  });
  assert.deepEqual(readFileSync(file), before);
  sql(file, 'PRAGMA user_version = 3');
  assert.equal(open(t, { directory }).restore().live?.version, sha(50), 'the lock was let go');
});

test('something else than a file in its place: works in memory, says so, and recovers by itself', (t) => {
  const directory = temporary(t);
  const file = path.join(directory, 'ledger.sqlite');
  mkdirSync(file);
  const clock = manualClock();
  const ledger = open(t, { directory, clock: clock.read });
  ledger.recordAll(success(1));
  ledger.recordAll(failure(2));
  assert.ok(!ledger.health.ok);
  assert.match(
    ledger.health.reason,
    /the ledger in .* can not be written: .*ledger\.sqlite is not a regular file; pushing goes on/,
  );
  assertRemembers(ledger);

  rmSync(file, { recursive: true });
  clock.now += 60_000;
  ledger.record(revision(3));
  assert.deepEqual(ledger.health, { ok: true });
  ledger.close();
  assertRemembers(open(t, { directory }));
});

/** After success(1) and failure(2). */
function assertRemembers(ledger: Ledger): void {
  const { live, proven, pins, releases } = ledger.restore();
  assert.equal(live?.version, sha(1));
  assert.equal(proven, sha(1));
  assert.deepEqual([...pins.keys()], [sha(2)]);
  assert.deepEqual(Buffer.from(releases.get(sha(1))!.resource), resource(1));
  const entries = ledger.history({ limit: 9 }).filter(({ version }) => version !== sha(3));
  assert.deepEqual(
    entries.map(({ version, outcome }) => [version, outcome]),
    [
      [sha(2), 'rolled_back'],
      [sha(1), 'live'],
    ],
  );
}

test('no more than 10,000 entries wait in memory, and what matters outlives those that are given up', (t) => {
  const directory = temporary(t);
  const file = path.join(directory, 'ledger.sqlite');
  mkdirSync(file);
  const clock = manualClock();
  const ledger = open(t, { directory, clock: clock.read });
  ledger.recordAll(success(1));
  ledger.recordAll(failure(2));
  for (let n = 0; n < 11; n += 1)
    ledger.recordAll(Array.from({ length: 1000 }, (_, of) => revision(1000 * (n + 1) + of)));
  assert.ok(!ledger.health.ok);
  assert.equal(ledger.health.waiting, 10_000);
  assert.equal(ledger.health.lost, 1000 + success(1).length + failure(2).length);

  rmSync(file, { recursive: true });
  clock.now += 60_000;
  ledger.flush();
  assert.deepEqual(ledger.health, { ok: true });
  ledger.close();
  const { live, pins, head, releases } = open(t, { directory }).restore();
  assert.equal(live?.version, sha(1));
  assert.deepEqual([...pins.keys()], [sha(2)]);
  assert.equal(head?.version, sha(11_999));
  assert.ok(releases.has(sha(1)));
});

test('a pin that was taken back in an entry that was given up does not come back', (t) => {
  const directory = temporary(t);
  const clock = manualClock();
  const ledger = open(t, { directory, clock: clock.read });
  ledger.recordAll([...failure(1), ...failure(2)]);
  const other = new DatabaseSync(path.join(directory, 'ledger.sqlite'));
  other.exec('BEGIN IMMEDIATE');
  ledger.record({ type: 'unpinned', version: sha(1), by: 'ada' });
  ledger.recordAll(Array.from({ length: 10_000 }, (_, n) => revision(100 + n)));
  assert.ok(!ledger.health.ok);
  assert.equal(ledger.health.lost, 1);
  other.close();
  clock.now += 60_000;
  ledger.flush();
  assert.deepEqual(ledger.health, { ok: true });
  ledger.close();
  assert.deepEqual([...open(t, { directory }).restore().pins.keys()], [sha(2)]);
});

test('a file that is damaged while it is open is set aside, and what is in memory written anew', (t) => {
  const directory = temporary(t);
  const file = written(directory);
  const clock = manualClock();
  const ledger = open(t, { directory, clock: clock.read });
  ledger.recordAll([...success(1), ...failure(2)]);
  // A change by another connection makes SQLite forget its cached pages: the next write reads the noise.
  sql(file, 'CREATE TABLE foreign_table (a); PRAGMA wal_checkpoint(TRUNCATE)');
  overwrite(file, 4096, Buffer.alloc(statSync(file).size - 4096, 0xa5));
  ledger.recordAll(success(51));
  assert.ok(!ledger.health.ok);
  assert.match(ledger.health.reason, /the file is damaged/);
  assert.equal(ledger.restore().live?.version, sha(51));

  clock.now += 60_000;
  ledger.flush();
  assert.deepEqual(ledger.health, { ok: true });
  assert.equal(ledger.notices.length, 1);
  ledger.close();
  const again = open(t, { directory });
  assert.equal(again.restore().live?.version, sha(51));
  assert.ok(again.restore().releases.has(sha(51)));
  assert.deepEqual([...again.restore().pins.keys()], [sha(2)]);
  assert.deepEqual(again.history({ limit: 1 })[0]?.outcome, 'live');
});

test('another program that holds the database locked delays the ledger, and loses nothing', (t) => {
  const directory = temporary(t);
  const clock = manualClock();
  const ledger = open(t, { directory, clock: clock.read });
  ledger.recordAll(success(1));
  const other = new DatabaseSync(path.join(directory, 'ledger.sqlite'));
  other.exec('BEGIN IMMEDIATE');
  ledger.recordAll(failure(2));
  assert.ok(!ledger.health.ok);
  assert.match(ledger.health.reason, /another program holds the database locked/);
  assert.deepEqual([...ledger.restore().pins.keys()], [sha(2)]);
  other.close();
  clock.now += 60_000;
  ledger.flush();
  assert.deepEqual(ledger.health, { ok: true });
  assert.equal(ledger.history({ limit: 9 })[0]?.pinned, true);
});

const nobody = 65534;

/** Runs `work` as a user whom permissions bind (they don't bind root). The directory is that user's. */
function unprivileged(directory: string, work: () => void): void {
  if (process.geteuid?.() !== 0) return work();
  const names = readdirSync(directory, { recursive: true }) as string[];
  for (const name of ['.', ...names]) chownSync(path.join(directory, name), nobody, nobody);
  process.seteuid?.(nobody);
  try {
    work();
  } finally {
    process.seteuid?.(0);
  }
}

test('a read-only directory: what it holds counts, what happens is kept in memory, and is written once it can be', (t) => {
  const directory = temporary(t);
  const before = openLedger({ directory });
  before.recordAll([...success(1), ...failure(2)]);
  before.close();
  rmSync(path.join(directory, 'ledger.lock'));
  const clock = manualClock();
  unprivileged(directory, () => {
    chmodSync(path.join(directory, 'ledger.sqlite'), 0o400);
    chmodSync(directory, 0o500);
    const ledger = open(t, { directory, clock: clock.read });
    assert.ok(!ledger.health.ok);
    assert.match(ledger.health.reason, /can not be written: .*(EACCES|read-only|can not be opened)/);
    assertRemembers(ledger);
    ledger.recordAll(success(3));
    assert.equal(ledger.restore().live?.version, sha(3));
    assert.deepEqual([...ledger.restore().pins.keys()], [sha(2)]);

    chmodSync(directory, 0o700);
    clock.now += 60_000;
    ledger.flush();
    assert.deepEqual(ledger.health, { ok: true });
    ledger.close();
    const again = openLedger({ directory });
    assert.equal(again.restore().live?.version, sha(3));
    assert.deepEqual([...again.restore().pins.keys()], [sha(2)]);
    assert.equal(again.history({ limit: 9 }).length, 3);
    again.close();
  });
});

test('a directory that appears later: the pins that its ledger holds are not lost', (t) => {
  const directory = temporary(t);
  const mount = path.join(directory, 'mount');
  const before = openLedger({ directory: mount });
  before.recordAll([...success(1), ...failure(2)]);
  before.close();
  const clock = manualClock();
  unprivileged(directory, () => {
    chmodSync(directory, 0o000);
    const ledger = open(t, { directory: mount, clock: clock.read });
    assert.ok(!ledger.health.ok);
    assert.equal(ledger.restore().live, null);
    ledger.recordAll(failure(3));
    assert.deepEqual([...ledger.restore().pins.keys()], [sha(3)]);

    chmodSync(directory, 0o700);
    clock.now += 60_000;
    ledger.flush();
    assert.deepEqual(ledger.health, { ok: true });
    assert.deepEqual([...ledger.restore().pins.keys()].sort(), [sha(2), sha(3)]);
    ledger.close();
    const again = openLedger({ directory: mount });
    assert.equal(again.restore().live?.version, sha(1));
    assert.deepEqual([...again.restore().pins.keys()].sort(), [sha(2), sha(3)]);
    const story = again.story(sha(3));
    assert.ok(story !== null && story !== 'ambiguous');
    assert.equal(story.events.length, failure(3).length);
    again.close();
  });
});
