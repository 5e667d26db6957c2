import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { LedgerError } from '../../src/ledger/error.ts';
import { openLedger, openLedgerReadOnly } from '../../src/ledger/ledger.ts';
import {
  epoch,
  failure,
  live,
  manualClock,
  open,
  refusal,
  release,
  resource,
  revision,
  sha,
  success,
  temporary,
} from './support.ts';

test('a new directory and its files are for us alone', (t) => {
  const directory = path.join(temporary(t), 'a', 'b');
  const ledger = open(t, { directory });
  ledger.recordAll(success(1));
  assert.deepEqual(ledger.health, { ok: true });
  assert.deepEqual(ledger.notices, []);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  for (const name of ['ledger.sqlite', 'ledger.sqlite-wal', 'ledger.sqlite-shm', 'ledger.lock']) {
    assert.equal(statSync(path.join(directory, name)).mode & 0o777, 0o600, name);
  }
});

test('an empty ledger restores nothing', (t) => {
  const restored = open(t, { directory: temporary(t) }).restore();
  assert.equal(restored.live, null);
  assert.equal(restored.proven, null);
  assert.equal(restored.head, null);
  assert.equal(restored.tip, null);
  assert.equal(restored.seq, 0);
  assert.equal(restored.releases.size, 0);
});

test('all that a restart needs is there again, bytes and all', (t) => {
  const directory = temporary(t);
  const first = openLedger({ directory });
  first.recordAll(success(1));
  first.recordAll([...failure(2), { type: 'tip', commit: sha(2) }]);
  first.recordAll([revision(3), { type: 'held', version: sha(3), reason: 'removes 3 of 4 customers' }]);
  first.record({ type: 'accepted', version: sha(4), by: 'ada' });
  const before = first.restore();
  first.close();

  const restored = open(t, { directory }).restore();
  assert.deepEqual(restored.live, { version: sha(1), since: epoch + 1, proven: true });
  assert.equal(restored.proven, sha(1));
  assert.deepEqual([...restored.pins], [[sha(2), refusal]]);
  assert.equal(restored.holds.get(sha(3))?.reason, 'removes 3 of 4 customers');
  assert.deepEqual([...restored.accepted], [sha(4)]);
  assert.equal(restored.tip, sha(2));
  assert.equal(restored.seq, 2);
  assert.equal(restored.head?.version, sha(3));
  assert.deepEqual([...restored.releases.keys()], [sha(1)]);
  assert.deepEqual(Buffer.from(restored.releases.get(sha(1))!.resource), resource(1));
  assert.deepEqual(restored.releases.get(sha(1))!.release, before.releases.get(sha(1))!.release);
});

test('fields come back in order, with values that JSON has no words for', (t) => {
  const directory = temporary(t);
  const fields = new Map<string, never>(
    Object.entries({ z: 1, a: 'x', __proto__x: { numerator: -1, list: [null, true] }, n: NaN, i: -Infinity }) as [
      string,
      never,
    ][],
  );
  fields.set('__proto__', 5 as never);
  const first = openLedger({ directory });
  first.recordAll([
    { type: 'release', release: { version: sha(1), subject: 's', fields }, resource: resource(1) },
    live(1),
  ]);
  first.close();
  const restored = open(t, { directory }).restore().releases.get(sha(1))!.release.fields;
  assert.deepEqual([...restored], [...fields]);
});

test('an unproven live release keeps the proven one to fall back to, and none at all can be live', (t) => {
  const directory = temporary(t);
  const first = openLedger({ directory });
  first.recordAll([...success(1), release(2), live(2, false)]);
  first.close();
  const second = openLedger({ directory });
  assert.equal(second.restore().live?.version, sha(2));
  assert.equal(second.restore().live?.proven, false);
  assert.equal(second.restore().proven, sha(1));
  assert.deepEqual([...second.restore().releases.keys()].sort(), [sha(1), sha(2)]);
  second.record({ type: 'live', live: null });
  second.close();
  assert.equal(open(t, { directory }).restore().live, null);
});

test('retry takes a pin back, for good', (t) => {
  const directory = temporary(t);
  const first = openLedger({ directory });
  first.recordAll(failure(1));
  first.record({ type: 'unpinned', version: sha(1), by: 'ada' });
  first.close();
  const second = open(t, { directory });
  assert.equal(second.restore().pins.size, 0);
  const story = second.story(sha(1));
  assert.ok(story !== null && story !== 'ambiguous');
  assert.equal(story.events.at(-1)?.by, 'ada');
  assert.equal(story.revision.pinned, false);
});

test('accepting ends a hold, for good', (t) => {
  const directory = temporary(t);
  const first = openLedger({ directory });
  first.recordAll([revision(1), { type: 'held', version: sha(1), reason: 'shrinks' }]);
  assert.equal(first.history({ limit: 1 })[0]?.held, true);
  first.record({ type: 'accepted', version: sha(1), by: 'ada' });
  first.close();
  const second = open(t, { directory });
  assert.equal(second.restore().holds.size, 0);
  assert.deepEqual([...second.restore().accepted], [sha(1)]);
  assert.equal(second.history({ limit: 1 })[0]?.held, false);
});

test('a later outcome ends a hold', (t) => {
  const directory = temporary(t);
  const first = openLedger({ directory });
  const held = { type: 'outcome', version: sha(1), outcome: 'held' } as const;
  first.recordAll([revision(1), { type: 'held', version: sha(1), reason: 'shrinks' }, held]);
  assert.equal(first.history({ limit: 1 })[0]?.held, true);
  first.recordAll([revision(2), { ...held, outcome: 'superseded' }]);
  assert.equal(first.restore().holds.size, 0);
  first.close();
  const second = open(t, { directory });
  assert.equal(second.restore().holds.size, 0);
  assert.deepEqual(second.history({ outcome: 'superseded', limit: 5 })[0]?.held, false);
});

test('a second daemon on the directory is refused in clear words, and the first goes on', (t) => {
  const directory = temporary(t);
  const first = open(t, { directory });
  assert.throws(
    () => openLedger({ directory }),
    (error) =>
      error instanceof LedgerError &&
      error.code === 'ledger-locked' &&
      /another shardplane daemon uses this state directory/.test(error.message),
  );
  first.recordAll(success(1));
  assert.deepEqual(first.health, { ok: true });
  assert.throws(() => openLedger({ directory }), { code: 'ledger-locked' });
});

test('a burst of 1,000 revisions is one transaction, in order, and the newest is the head', (t) => {
  const directory = temporary(t);
  const first = openLedger({ directory });
  first.recordAll(Array.from({ length: 1000 }, (_, n) => revision(n)));
  first.close();
  const second = open(t, { directory });
  assert.equal(second.restore().head?.version, sha(999));
  assert.deepEqual(
    second.history({ limit: 1000 }).map(({ version }) => version),
    Array.from({ length: 1000 }, (_, n) => sha(999 - n)),
  );
});

test('a revision that is seen again moves the head and keeps its outcome and place', (t) => {
  const ledger = open(t, { directory: temporary(t) });
  ledger.recordAll([...success(1), ...success(2), revision(1)]);
  assert.equal(ledger.restore().head?.version, sha(1));
  assert.equal(ledger.restore().head?.outcome, 'live');
  assert.deepEqual(
    ledger.history({ limit: 9 }).map(({ version }) => version),
    [sha(2), sha(1)],
  );
});

test('the ledger can be read beside the daemon and without it', (t) => {
  const directory = temporary(t);
  const ledger = openLedger({ directory, clock: manualClock().read });
  ledger.recordAll(success(1));
  const beside = openLedgerReadOnly(directory);
  const entries = beside.history({ limit: 10 });
  beside.close();
  assert.deepEqual(entries, ledger.history({ limit: 10 }));
  ledger.close();
  const without = openLedgerReadOnly(directory);
  assert.deepEqual(without.history({ limit: 10 }), entries);
  assert.notEqual(without.story(sha(1).slice(0, 8)), null);
  without.close();
});

test('reading where there is no ledger says so', (t) => {
  assert.throws(() => openLedgerReadOnly(temporary(t)), { code: 'ledger-missing' });
});

test('the live release is not written again, other bytes under its version are', (t) => {
  const directory = temporary(t);
  const ledger = openLedger({ directory });
  const [first, other] = [release(1), release(1)];
  assert.ok(first.type === 'release' && other.type === 'release');
  const events = () => {
    const story = ledger.story(sha(1));
    return story === null || story === 'ambiguous' ? 0 : story.events.filter(({ type }) => type === 'release').length;
  };
  ledger.recordAll([first, live(1, false), first, live(1)]);
  assert.equal(events(), 1);
  ledger.record({ ...other, resource: Buffer.from('other bytes') });
  assert.equal(events(), 2);
  ledger.close();
  const { releases } = open(t, { directory }).restore();
  assert.equal(Buffer.from(releases.get(sha(1))!.resource).toString(), 'other bytes');
});

test('mutes are remembered, and also those that were given while nothing could be written', (t) => {
  const directory = temporary(t);
  const first = openLedger({ directory });
  first.recordAll([
    { type: 'muted', node: 'a', by: 'ada' },
    { type: 'muted', node: 'b' },
    { type: 'unmuted', node: 'b' },
  ]);
  first.recordAll(success(1));
  first.close();
  const ledger = open(t, { directory });
  assert.deepEqual([...ledger.restore().muted], ['a']);
  assert.equal(ledger.restore().members, 2, 'and how many nodes there were');
});
