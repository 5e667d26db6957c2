import assert from 'node:assert/strict';
import test from 'node:test';
import type { Fact } from '../../src/state/facts.ts';
import { diagnose } from '../../src/rollout/diagnose.ts';
import { contentToJson } from '../../src/release/content.ts';
import { makeConfig } from '../helpers/config.ts';
import { versionOf } from '../helpers/ids.ts';
import {
  epoch,
  failure,
  live,
  manualClock,
  manySeen,
  numberOf,
  offered,
  open,
  refusal,
  retried,
  seen,
  settled,
  sha,
  stored,
  success,
  temporary,
} from './support.ts';

const diagnostic = {
  code: 'schema',
  message: 'must be an integer',
  file: 'shard-config.yaml',
  line: 3,
  column: 9,
  hint: null,
} as const;

test('an entry says all that is known of a revision', async (t) => {
  const clock = manualClock();
  const book = await open(t, { directory: temporary(t), clock: clock.read });
  await book.record(seen(1), { type: 'invalid', version: sha(1), diagnostics: [diagnostic] });
  clock.now += 1000;
  await book.record(...failure(2));
  assert.deepEqual(await book.journal.history({ limit: 10 }), [
    {
      id: 2,
      version: sha(2),
      subject: 'Change 2',
      author: 'Ada <ada@example.org>',
      committedAt: '2026-01-01T00:00:00Z',
      seenAt: '2026-01-01T00:00:01.000Z',
      outcome: 'rolled_back',
      outcomeAt: '2026-01-01T00:00:01.000Z',
      reason: null,
      diagnostics: [diagnose({ type: 'refused', ...refusal })],
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
      rollout: null,
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
      rollout: null,
    },
  ]);
});

test('pages follow each other without gap or repeat, also while revisions arrive', async (t) => {
  const book = await open(t, { directory: temporary(t) });
  await book.record(...manySeen(25, 1));
  const pages: number[][] = [];
  for (let before: number | undefined; ;) {
    const page = await book.journal.history({ limit: 10, before });
    if (page.length === 0) break;
    pages.push(page.map(({ version }) => numberOf(version)));
    before = page.at(-1)?.id;
    await book.record(seen(100 + pages.length));
  }
  assert.deepEqual(
    pages.flat(),
    Array.from({ length: 25 }, (_, n) => 25 - n),
  );
  assert.equal(pages.length, 3);
});

test('the limit has bounds of its own', async (t) => {
  const book = await open(t, { directory: temporary(t) });
  await book.record(...manySeen(1001));
  for (const [limit, expected] of [
    [0, 1],
    [-5, 1],
    [2.7, 2],
    [5000, 1000],
  ] as const) {
    assert.equal((await book.journal.history({ limit })).length, expected, `limit ${limit}`);
  }
});

test('history by outcome and by time', async (t) => {
  const clock = manualClock();
  const book = await open(t, { directory: temporary(t), clock: clock.read });
  for (let n = 1; n <= 6; n += 1) {
    await book.record(...(n % 2 === 0 ? failure(n) : success(n)));
    clock.now += 1000;
  }
  assert.deepEqual(await book.found({ limit: 9, outcome: 'rolled_back' }), [6, 4, 2]);
  assert.deepEqual(await book.found({ limit: 9, outcome: 'live', since: epoch + 2000 }), [5, 3]);
  assert.deepEqual(await book.found({ limit: 1, outcome: 'rolled_back', before: 6 }), [4]);
  assert.deepEqual(await book.found({ limit: 9, since: epoch + 60_000 }), []);
});

test('history by customer: what sets, changes or removes its shard size', async (t) => {
  const book = await open(t, { directory: temporary(t) });
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
  for (const [index, customers] of sizes.entries()) {
    const n = index + 1;
    book.releases.set(sha(n), stored(n, customers));
    await book.record(seen(n), offered(n));
    assert.equal((await book.found({ limit: 9, customer: 'b' })).includes(n), false, 'only once it is live');
    await book.record(live(n));
  }
  await book.record(seen(8), offered(8), ...failure(8).slice(2));
  // The first release, and one that changes more than 1,000, count for every customer.
  assert.deepEqual(await book.found({ limit: 9, customer: 'a' }), [7, 5, 4, 2, 1]);
  assert.deepEqual(await book.found({ limit: 9, customer: 'b' }), [7, 3, 1]);
  assert.deepEqual(await book.found({ limit: 9, customer: "b' OR 1" }), [7, 1]);
});

test('a story is found by the beginning of its SHA', async (t) => {
  const book = await open(t, { directory: temporary(t) });
  const named = (n: number, name: string): Fact => ({
    ...seen(n),
    revision: { ...seen(n).revision, version: versionOf(name) },
  });
  await book.record(named(1, 'abcd1'.padEnd(40, '0')), named(2, 'abcd2'.padEnd(40, '0')), named(3, 'f'.repeat(40)));
  const subject = async (prefix: string) => {
    const story = await book.journal.story(prefix);
    return story === null || story === 'ambiguous' ? story : story.revision.subject;
  };
  assert.equal(await subject('abcd1'), 'Change 1');
  assert.equal(await subject('ABCD2'), 'Change 2');
  assert.equal(await subject('abcd1'.padEnd(40, '0')), 'Change 1');
  assert.equal(await subject('abcd'), 'ambiguous');
  assert.equal(await subject('ffff'), 'Change 3');
  assert.equal(await subject('f'.repeat(40)), 'Change 3');
  for (const nothing of ['abcd3', 'abc', '', '%', 'abcd_', 'HEAD', 'f'.repeat(65)])
    assert.equal(await subject(nothing), null, nothing);
});

test('a story tells what happened in order, with the words of Envoy and of operators', async (t) => {
  const clock = manualClock();
  const book = await open(t, { directory: temporary(t), clock: clock.read });
  for (const fact of [...failure(1), ...retried(1)]) {
    await book.record(fact);
    // A clock that is set back must not shuffle it.
    clock.now -= 1000;
  }
  const { events } = await book.story(1);
  const { node, code, message, place } = refusal;
  const standing = { connected: 2, acked: 1, refused: 1, unanswered: 0 };
  assert.deepEqual(
    events.map(({ type, by, detail }) => [type, by, detail]),
    [
      ['revision', null, {}],
      ['push_started', null, { seq: 1, connected: 2 }],
      ['refused', null, { node, code, message, place }],
      ['pinned', null, { refusal: { node, code, message } }],
      ['outcome', null, { outcome: 'rolled_back', reason: null }],
      ['push_settled', null, { seq: 1, ...standing }],
      ['unpinned', 'ada', {}],
    ],
  );
});

test('a release that nobody was there to ask is told of as settled once more when it is proven', async (t) => {
  const book = await open(t, { directory: temporary(t) });
  const nobody = { connected: 0, acked: 0, refusing: 0, unanswered: 0, pending: 0 };
  const { counts } = live(1);
  await book.record(
    seen(1),
    { ...offered(1), counts: nobody },
    live(1, { proven: false, counts: nobody }),
    settled(1, nobody),
    live(1, { proven: true, isNew: false }),
  );
  await book.record(
    seen(2),
    offered(2),
    live(2, { isSettled: false }),
    settled(2),
    live(1, { isNew: false, isSettled: false }),
  );
  const { events, revision } = await book.story(1);
  assert.deepEqual(
    events.map(({ type }) => type),
    [
      ...['revision', 'push_started', 'outcome', 'release', 'live', 'push_settled'],
      ...['live', 'push_settled', 'live'],
    ],
  );
  assert.deepEqual([revision.push?.connected, revision.push?.acked], [counts.connected, counts.acked]);
});

test('what is said twice is told once', async (t) => {
  const book = await open(t, { directory: temporary(t) });
  const twice: Fact[] = [
    { type: 'still_pinned', version: sha(1), cause: { type: 'refused', ...refusal } },
    { type: 'accepted', version: sha(3), by: 'ada' },
    { type: 'superseded', version: sha(4) },
    { type: 'held', version: sha(5), reason: 'shrinks', diagnostics: [diagnostic] },
  ];
  await book.record(...failure(1), ...success(2), ...twice);
  const lengths = async () => Promise.all([1, 2, 3, 4, 5].map(async (n) => (await book.story(n)).events.length));
  const before = await lengths();
  assert.deepEqual(before, [6, 6, 1, 1, 2]);
  await book.record(seen(1), seen(2), ...twice, ...failure(1).slice(3, 4));
  assert.deepEqual(await lengths(), before);
});

test('a node that refuses without end fills neither the story nor the disk', async (t) => {
  const book = await open(t, { directory: temporary(t) });
  await book.record(seen(1));
  await book.record(...Array.from({ length: 500 }, () => ({ type: 'refused', version: sha(1), refusal }) as const));
  await book.record(failure(1)[3]!);
  const types = (await book.story(1)).events.map(({ type }) => type);
  assert.equal(types.filter((type) => type === 'refused').length, 100);
  assert.deepEqual(types.slice(-2), ['pinned', 'outcome']);
  await book.record(...Array.from({ length: 2000 }, () => offered(1)));
  assert.equal((await book.story(1)).events.length, 1000);
});

test('a fact about a revision that was never seen is kept', async (t) => {
  const book = await open(t, { directory: temporary(t) });
  await book.record({ type: 'superseded', version: sha(1) });
  assert.deepEqual(book.journal.health, { ok: true });
  assert.equal((await book.story(1)).revision.subject, '');
  await book.record(seen(1));
  const { revision } = await book.story(1);
  assert.deepEqual([revision.subject, revision.outcome], ['Change 1', 'superseded']);
});

test('history by customer: a deal and a quarantine count as its size does', async (t) => {
  const book = await open(t, { directory: temporary(t) });
  const configs = [
    {},
    { deals: new Map([['a', 1]]) },
    { deals: new Map([['a', 1]]), quarantineHosts: 2, quarantined: new Set(['b']) },
    { quarantineHosts: 2, quarantined: new Set(['b']) },
  ];
  for (const [index, changes] of configs.entries()) {
    const n = index + 1;
    const release = { ...stored(n).release, config: makeConfig(changes) };
    book.releases.set(sha(n), { ...stored(n), release, content: contentToJson(release) });
    await book.record(...success(n));
  }
  assert.deepEqual(await book.found({ limit: 9, customer: 'a' }), [4, 2, 1]);
  assert.deepEqual(await book.found({ limit: 9, customer: 'b' }), [3, 1]);
});

test('what was live, one after another: proven later counts once, a way back counts', async (t) => {
  const clock = manualClock();
  const book = await open(t, { directory: temporary(t), clock: clock.read });
  await book.record(...success(1));
  clock.now += 1000;
  await book.record(seen(2), offered(2), live(2, { proven: false }), live(2, { isNew: false }), settled(2));
  clock.now += 1000;
  await book.record(...failure(3));
  clock.now += 1000;
  await book.record(seen(1), live(1, { isNew: false }));
  const lives = await book.journal.lives({ limit: 9 });
  assert.deepEqual(
    lives.map(({ version, liveAt }) => [numberOf(version), liveAt]),
    [
      [1, '2026-01-01T00:00:03.000Z'],
      [2, '2026-01-01T00:00:01.000Z'],
      [1, '2026-01-01T00:00:00.000Z'],
    ],
  );
  const [newest, older] = lives;
  assert.deepEqual(await book.journal.lives({ limit: 1, before: newest?.liveId ?? 0 }), [older]);
  const at = async (until: number) =>
    (await book.journal.lives({ limit: 1, until })).map((each) => numberOf(each.version));
  assert.deepEqual(await at(epoch + 2999), [2]);
  assert.deepEqual(await at(epoch + 999), [1]);
  assert.deepEqual(await at(epoch - 1), []);
  assert.equal(newest?.subject, 'Change 1');
});
