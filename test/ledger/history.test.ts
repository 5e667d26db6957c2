import assert from 'node:assert/strict';
import test from 'node:test';
import type { Story } from '../../src/ledger/history.ts';
import type { Ledger } from '../../src/ledger/types.ts';
import { epoch, failure, manualClock, open, refusal, release, revision, sha, success, temporary } from './support.ts';

const diagnostic = {
  code: 'schema',
  message: 'must be an integer',
  file: 'shard-config.yaml',
  line: 3,
  column: 9,
  hint: null,
} as const;

/** The changes of these numbers, as the query finds them. */
function found(ledger: Ledger, query: Parameters<Ledger['history']>[0]): number[] {
  return ledger.history(query).map(({ version }) => parseInt(version.slice(0, 8), 16));
}

function storyOf(ledger: Ledger, n: number): Story {
  const story = ledger.story(sha(n));
  assert.ok(story !== null && story !== 'ambiguous');
  return story;
}

test('an entry says all that is known of a revision', (t) => {
  const clock = manualClock();
  const ledger = open(t, { directory: temporary(t), clock: clock.read });
  ledger.recordAll([
    { ...revision(1), diagnostics: [diagnostic] } as never,
    { type: 'outcome', version: sha(1), outcome: 'invalid' },
  ]);
  clock.now += 1000;
  ledger.recordAll(failure(2));
  assert.deepEqual(ledger.history({ limit: 10 }), [
    {
      id: 2,
      version: sha(2),
      subject: 'Change 2',
      author: 'Ada <ada@example.org>',
      committedAt: '2026-01-01T00:00:00Z',
      seenAt: '2026-01-01T00:00:01.000Z',
      outcome: 'rolled_back',
      outcomeAt: '2026-01-01T00:00:01.000Z',
      reason: refusal.message,
      diagnostics: [],
      push: {
        startedAt: '2026-01-01T00:00:01.000Z',
        settledAt: '2026-01-01T00:00:01.000Z',
        connected: 2,
        acked: 1,
        refused: 1,
        unanswered: 0,
      },
      live: false,
      pinned: true,
      held: false,
    },
    {
      id: 1,
      version: sha(1),
      subject: 'Change 1',
      author: 'Ada <ada@example.org>',
      committedAt: '2026-01-01T00:00:00Z',
      seenAt: '2026-01-01T00:00:00.000Z',
      outcome: 'invalid',
      outcomeAt: '2026-01-01T00:00:00.000Z',
      reason: null,
      diagnostics: [diagnostic],
      push: null,
      live: false,
      pinned: false,
      held: false,
    },
  ]);
});

test('pages follow each other without gap or repeat, also while revisions arrive', (t) => {
  const ledger = open(t, { directory: temporary(t) });
  for (let n = 1; n <= 25; n += 1) ledger.record(revision(n));
  const pages: number[][] = [];
  for (let before: number | undefined; ;) {
    const page = ledger.history({ limit: 10, before });
    if (page.length === 0) break;
    pages.push(page.map(({ version }) => parseInt(version.slice(0, 8), 16)));
    before = page.at(-1)?.id;
    ledger.record(revision(100 + pages.length));
  }
  assert.deepEqual(
    pages.flat(),
    Array.from({ length: 25 }, (_, n) => 25 - n),
  );
  assert.equal(pages.length, 3);
});

test('the limit has bounds of its own', (t) => {
  const ledger = open(t, { directory: temporary(t) });
  ledger.recordAll(Array.from({ length: 1001 }, (_, n) => revision(n)));
  for (const [limit, expected] of [
    [0, 1],
    [-5, 1],
    [2.7, 2],
    [5000, 1000],
  ] as const) {
    assert.equal(ledger.history({ limit }).length, expected, `limit ${limit}`);
  }
});

test('history by outcome and by time', (t) => {
  const clock = manualClock();
  const ledger = open(t, { directory: temporary(t), clock: clock.read });
  for (let n = 1; n <= 6; n += 1) {
    ledger.recordAll(n % 2 === 0 ? failure(n) : success(n));
    clock.now += 1000;
  }
  assert.deepEqual(found(ledger, { limit: 9, outcome: 'rolled_back' }), [6, 4, 2]);
  assert.deepEqual(found(ledger, { limit: 9, outcome: 'live', since: epoch + 2000 }), [5, 3]);
  assert.deepEqual(found(ledger, { limit: 1, outcome: 'rolled_back', before: 6 }), [4]);
  assert.deepEqual(found(ledger, { limit: 9, since: epoch + 60_000 }), []);
});

test('history by customer: what sets, changes or removes its shard size', (t) => {
  const ledger = open(t, { directory: temporary(t) });
  const many = Object.fromEntries(Array.from({ length: 1500 }, (_, n) => [`many-${n}`, 2]));
  const sizes: Record<string, number>[] = [
    { b: 1 },
    { b: 1, a: 2 },
    { b: 2, a: 2 },
    { b: 2, a: 3 },
    { b: 2 },
    { b: 2 },
    { ...many, b: 2 },
  ];
  sizes.forEach((customers, n) => ledger.recordAll([revision(n + 1), release(n + 1, customers)]));
  // The first release, and one that changes more than 1,000, count for every customer.
  assert.deepEqual(found(ledger, { limit: 9, customer: 'a' }), [7, 5, 4, 2, 1]);
  assert.deepEqual(found(ledger, { limit: 9, customer: 'b' }), [7, 3, 1]);
  assert.deepEqual(found(ledger, { limit: 9, customer: "b' OR 1" }), [7, 1]);
});

test('a story is found by the beginning of its SHA', (t) => {
  const ledger = open(t, { directory: temporary(t) });
  ledger.recordAll([
    { ...revision(1), version: 'abcd1'.padEnd(40, '0') } as never,
    { ...revision(2), version: 'abcd2'.padEnd(40, '0') } as never,
    { ...revision(3), version: 'f'.repeat(40) } as never,
  ]);
  const subject = (prefix: string) => {
    const story = ledger.story(prefix);
    return story === null || story === 'ambiguous' ? story : story.revision.subject;
  };
  assert.equal(subject('abcd1'), 'Change 1');
  assert.equal(subject('ABCD2'), 'Change 2');
  assert.equal(subject('abcd1'.padEnd(40, '0')), 'Change 1');
  assert.equal(subject('abcd'), 'ambiguous');
  assert.equal(subject('ffff'), 'Change 3');
  assert.equal(subject('f'.repeat(40)), 'Change 3');
  for (const nothing of ['abcd3', 'abc', '', '%', 'abcd_', 'HEAD', 'f'.repeat(65)])
    assert.equal(subject(nothing), null, nothing);
});

test('a story tells what happened in order, with the words of Envoy and of operators', (t) => {
  const clock = manualClock();
  const ledger = open(t, { directory: temporary(t), clock: clock.read });
  for (const entry of [...failure(1), { type: 'unpinned', version: sha(1), by: 'ada' } as const]) {
    ledger.record(entry);
    // A clock that is set back must not shuffle it.
    clock.now -= 1000;
  }
  const { events } = storyOf(ledger, 1);
  assert.deepEqual(
    events.map(({ type }) => type),
    [...failure(1).map(({ type }) => type), 'unpinned'],
  );
  const refused = events.find(({ type }) => type === 'refused');
  assert.deepEqual(refused?.detail, {
    ...refusal,
    place: { key: 'a.b', file: 'shard-config.yaml', line: 7, column: 3 },
  });
  assert.equal(events.at(-1)?.by, 'ada');
});

test('what is said twice is told once', (t) => {
  const ledger = open(t, { directory: temporary(t) });
  ledger.recordAll(success(1));
  const before = storyOf(ledger, 1).events.length;
  ledger.recordAll([revision(1), { type: 'outcome', version: sha(1), outcome: 'live' }, success(1).at(-1)!]);
  assert.equal(storyOf(ledger, 1).events.length, before);
});

test('a node that refuses without end fills neither the story nor the disk', (t) => {
  const ledger = open(t, { directory: temporary(t) });
  ledger.record(revision(1));
  ledger.recordAll(Array.from({ length: 500 }, () => ({ type: 'refused', version: sha(1), refusal }) as const));
  ledger.record({ type: 'pinned', version: sha(1), refusal });
  const types = storyOf(ledger, 1).events.map(({ type }) => type);
  assert.equal(types.filter((type) => type === 'refused').length, 100);
  assert.equal(types.at(-1), 'pinned');
});

test('an entry about a revision that was never recorded is kept', (t) => {
  const ledger = open(t, { directory: temporary(t) });
  ledger.record({ type: 'outcome', version: sha(1), outcome: 'superseded' });
  assert.deepEqual(ledger.health, { ok: true });
  assert.equal(ledger.history({ limit: 1 })[0]?.subject, '');
  ledger.record(revision(1));
  assert.equal(ledger.history({ limit: 1 })[0]?.subject, 'Change 1');
  assert.equal(ledger.history({ limit: 1 })[0]?.outcome, 'superseded');
});
