import assert from 'node:assert/strict';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import test from 'node:test';
import type { Retention } from '../../src/ledger/prune.ts';
import type { Ledger } from '../../src/ledger/types.ts';
import { failure, live, manualClock, open, release, revision, sha, success, temporary } from './support.ts';

const day = 24 * 60 * 60 * 1000;

function ledgerWith(t: TestContext, retention: Partial<Retention>) {
  const clock = manualClock();
  const directory = temporary(t);
  const ledger = open(t, {
    directory,
    clock: clock.read,
    retention: { ageMs: Infinity, revisions: 1e9, releases: 10, ...retention },
  });
  return { ledger, clock, directory };
}

function kept(ledger: Ledger): number[] {
  return ledger.history({ limit: 1000 }).map(({ version }) => parseInt(version.slice(0, 8), 16));
}

function rows(directory: string, table: string): number {
  const db = new DatabaseSync(path.join(directory, 'ledger.sqlite'), { readOnly: true });
  const row = db.prepare(`SELECT count(*) AS n FROM ${table}`).get();
  db.close();
  return Number(row?.n);
}

test('the newest revisions are kept, and whatever the fleet, a pin or a hold depends on', (t) => {
  const { ledger, directory } = ledgerWith(t, { revisions: 3 });
  ledger.recordAll([...success(1), ...failure(2), revision(3), { type: 'held', version: sha(3), reason: 'shrinks' }]);
  ledger.recordAll([release(4), live(4, false)]);
  for (let n = 10; n < 20; n += 1)
    ledger.recordAll([revision(n), { type: 'outcome', version: sha(n), outcome: 'invalid' }]);
  assert.equal(ledger.prune(), 7);
  assert.deepEqual(kept(ledger), [19, 18, 17, 4, 3, 2, 1]);
  assert.equal(ledger.prune(), 0);
  assert.equal(rows(directory, `events WHERE version = '${sha(10)}'`), 0, 'its story went with it');
  ledger.recordAll([revision(3), { type: 'accepted', version: sha(3) }, revision(20), live(1)]);
  ledger.prune();
  assert.deepEqual(kept(ledger), [20, 19, 18, 2, 1], 'neither held nor head any more');
});

test('revisions beyond an age are forgotten, the head never', (t) => {
  const { ledger, clock } = ledgerWith(t, { ageMs: 30 * day });
  ledger.record(revision(1));
  clock.now += 20 * day;
  ledger.record(revision(2));
  clock.now += 20 * day;
  assert.equal(ledger.prune(), 1);
  assert.deepEqual(kept(ledger), [2]);
  clock.now += 400 * day;
  assert.equal(ledger.prune(), 0);
  assert.deepEqual(ledger.health, { ok: true });
  assert.deepEqual(kept(ledger), [2]);
});

test('recording prunes by itself, at most 1,000 at once', (t) => {
  const { ledger } = ledgerWith(t, { revisions: 50 });
  for (let n = 0; n < 1000; n += 1) ledger.record(revision(n));
  assert.ok(kept(ledger).length <= 150);
  ledger.recordAll(Array.from({ length: 3000 }, (_, n) => revision(2000 + n)));
  assert.equal(ledger.prune(), 1000);
  while (ledger.prune() > 0);
  assert.equal(kept(ledger).length, 50);
});

test('the bytes of old releases are forgotten, those of the live and the proven one never', (t) => {
  const { ledger, directory } = ledgerWith(t, { releases: 3 });
  ledger.recordAll([...success(1), revision(2), release(2), live(2, false)]);
  for (let n = 3; n < 20; n += 1) ledger.recordAll([revision(n), release(n)]);
  assert.equal(rows(directory, 'releases'), 5);
  ledger.close();
  const again = open(t, { directory });
  assert.deepEqual([...again.restore().releases.keys()], [sha(1), sha(2)]);
  assert.equal(kept(again).length, 19, 'only bytes were forgotten');
});
