import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import test from 'node:test';
import type { Json } from '../../src/config/config.ts';
import { openLedgerReadOnly } from '../../src/ledger/ledger.ts';
import type { HistoryEntry, Story } from '../../src/ledger/store.ts';
import { toFields } from '../../src/release/compile.ts';
import type { Memory } from '../../src/state/memory.ts';
import { makeConfig } from '../helpers/config.ts';
import { epoch, open, refusal, retried, seen, sha, temporary } from './support.ts';

/** What a daemon of schema 3 has written: tables and rows, and what it said of them. */
const fixtures = path.join(import.meta.dirname, '..', 'fixtures', 'ledger');
const written = readFileSync(path.join(fixtures, 'schema-3.sql'), 'utf8');
const said = JSON.parse(readFileSync(path.join(fixtures, 'schema-3.json'), 'utf8')) as {
  history: HistoryEntry[];
  stories: Story[];
};

/** What the schemas before it did not have. */
const without: Record<number, string> = {
  3: '',
  2: 'DROP TABLE contents; PRAGMA user_version = 2;',
  1: 'DROP TABLE contents; DROP TABLE muted; PRAGMA user_version = 1;',
};

function oldLedger(t: TestContext, schema: number, changes = ''): string {
  const directory = temporary(t);
  const db = new DatabaseSync(path.join(directory, 'ledger.sqlite'));
  db.exec(`${written}${without[schema]}${changes}`);
  db.close();
  return directory;
}

const expected: Memory = {
  revisions: {
    taken: sha(9),
    head: { version: sha(5), subject: 'Change 5', outcome: 'held', diagnostics: [] },
    accepted: [sha(1)],
    contents: [
      '4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945',
      'cbe9620952c0fd55a4e899431037151f8c81978f7b3405ffa8780c62ead495e9',
    ],
  },
  rollout: {
    live: { version: sha(3), since: epoch + 3, proven: false, fallback: sha(1) },
    candidate: null,
    pins: [{ version: sha(2), cause: { type: 'refused', ...refusal } }],
    muted: ['a'],
    pushes: 3,
    members: [2, 2, 2],
    settled: { version: sha(3), isClean: true },
  },
};

for (const schema of [3, 2, 1])
  test(`a ledger of schema ${schema} is brought up to date, and says what it said`, async (t) => {
    const book = await open(t, { directory: oldLedger(t, schema) });
    const { revisions, rollout } = expected;
    assert.deepEqual(book.notices, []);
    assert.deepEqual(book.memory, {
      revisions: { ...revisions, contents: schema < 3 ? [] : revisions.contents },
      rollout: { ...rollout, muted: schema < 2 ? [] : rollout.muted },
    });
    const { releases, open: rest } = await book.store.load();
    assert.deepEqual(releases.map(({ resource }) => Buffer.from(resource).toString()).sort(), [
      'bytes of 1',
      'bytes of 3',
    ]);
    assert.deepEqual(rest, [{ version: sha(5), before: 'live' }]);
    // The fixture is from before there were gradual rollouts.
    const now = (entry: HistoryEntry): HistoryEntry => ({ ...entry, rollout: null });
    assert.deepEqual(await book.journal.history({ limit: 9 }), said.history.map(now));
    const stories = said.history.map(({ version }) => book.journal.story(version));
    assert.deepEqual(
      await Promise.all(stories),
      said.stories.map((story) => ({ ...story, revision: now(story.revision) })),
    );
    await book.record(seen(6), ...retried(2));
    assert.deepEqual(book.journal.health, { ok: true });
    const { revision, events } = await book.story(2);
    assert.deepEqual([revision.pinned, events.at(-1)?.type], [false, 'unpinned']);
  });

/** What a release of before schema 5 was kept as. */
const fields: Record<string, Json> = {
  'shuffle_sharding.total_hosts': 3,
  'shuffle_sharding.default_shard_size': 1,
  'shuffle_sharding.customer.acme.com.shard_size': 2,
  'shuffle_sharding.customer.x.shard_size.shard_size': 3,
  'shuffle_sharding.customer.客"\\😀,[*].shard_size': 1,
  'shuffle_sharding.hosts': '127.0.0.1:8001,,[::1]:8002',
  'shuffle_sharding.drain': ',0,2,',
  'shuffle_sharding.version': sha(3),
  'my_feature.percent': 25.5,
  shuffle_sharding_x: 'y',
  guard: true,
  other: { list: [null, '\0'], numerator: { '\0number': 'NaN' } },
};

test('what a release of an old ledger says is as it was pushed', async (t) => {
  const update = new DatabaseSync(':memory:').prepare("SELECT printf('UPDATE releases SET fields = %Q;', ?) AS sql");
  const { sql } = update.get(JSON.stringify(Object.entries(fields))) as { sql: string };
  const book = await open(t, { directory: oldLedger(t, 3, sql) });
  const [one, three] = (await book.store.load()).releases.map(({ release }) => release);
  assert.deepEqual([one?.version, three?.version, three?.subject], [sha(1), sha(3), 'Change 3']);
  const config = makeConfig({
    totalHosts: 3,
    defaultShardSize: 1,
    customers: new Map([
      ['acme.com', 2],
      ['x.shard_size', 3],
      ['客"\\😀,[*]', 1],
    ]),
    hosts: ['127.0.0.1:8001', '', '[::1]:8002'],
    drained: [0, 2],
    runtime: new Map<string, Json>([
      ['my_feature.percent', 25.5],
      ['shuffle_sharding_x', 'y'],
      ['guard', true],
      ['other', { list: [null, '\0'], numerator: NaN }],
    ]),
  });
  assert.deepEqual(three?.config, config);
  assert.deepEqual(
    new Map(toFields(three)),
    new Map(Object.entries({ ...fields, other: config.runtime.get('other') })),
  );
});

test('a release of an old ledger in cluster mode has no hosts, and nothing drained', async (t) => {
  const book = await open(t, { directory: oldLedger(t, 3) });
  const { config } = (await book.store.load()).releases.find(({ release }) => release.version === sha(3))!.release;
  const { hosts, drained, customers } = config;
  assert.deepEqual([hosts, drained, [...customers]], [null, [], [['a', 3]]]);
});

test('an old ledger with a release that can not be read is set aside', async (t) => {
  const book = await open(t, { directory: oldLedger(t, 3, `UPDATE releases SET fields = '[["a",';`) });
  assert.match(book.notices.join(), /ledger\.sqlite is not a valid ledger \(malformed JSON\)/);
});

test('before a daemon has brought it up to date, an old ledger says what is to be done', (t) => {
  assert.throws(() => openLedgerReadOnly(oldLedger(t, 3)), {
    code: 'ledger-unreadable',
    message: /written by an older shardplane/,
  });
});

test('an old ledger in which nothing has happened holds nothing', async (t) => {
  const nothing = ['changes', 'events', 'marks', 'muted', 'contents'].map((table) => `DELETE FROM ${table};`).join('');
  const unset = 'UPDATE fleet SET live = NULL, proven = NULL, head = NULL, tip = NULL, seq = 0;';
  const directory = oldLedger(t, 3, `${unset}${nothing}DELETE FROM releases; DELETE FROM revisions;`);
  const book = await open(t, { directory });
  assert.deepEqual(book.notices, []);
  assert.equal((await book.store.history({ limit: 9 })).length, 0);
  assert.deepEqual(book.memory.rollout.members, []);
});

for (const [what, changes, live, settled] of [
  ['proven, and answered by all', 'UPDATE fleet SET live_proven = 1, proven = live', { proven: true }, true],
  [
    'proven, and refused by one',
    `UPDATE fleet SET live_proven = 1, proven = live; UPDATE revisions SET refused = 1 WHERE version = '${sha(3)}'`,
    { proven: true },
    false,
  ],
  [
    'unproven, with nothing before it, and awaited',
    `UPDATE fleet SET proven = NULL; UPDATE revisions SET settled_at = NULL WHERE version = '${sha(3)}'`,
    { proven: false, fallback: null },
    null,
  ],
  ['not there', 'UPDATE fleet SET live = NULL', null, null],
] as const)
  test(`an old ledger whose live release is ${what}`, async (t) => {
    const book = await open(t, { directory: oldLedger(t, 3, `${changes};`) });
    const { rollout } = book.memory;
    assert.deepEqual(rollout.live, live && { version: sha(3), since: epoch + 3, ...live });
    assert.deepEqual(rollout.settled, settled === null ? null : { version: sha(3), isClean: settled });
  });

test('a refusal whose place is not known is a pin all the same, and the newest 1,000 are kept', async (t) => {
  const rows = Array.from({ length: 1005 }, (_, n) => {
    const columns = 'version, subject, author, committed_at, seen_at, diagnostics';
    const pin = JSON.stringify({ node: 'n', code: 13, message: "it's wrong" }).replaceAll("'", "''");
    const version = `'${sha(100 + n)}'`;
    return `INSERT INTO revisions (${columns}) VALUES (${version}, '', '', '', 0, '[]');
      INSERT INTO marks (version, kind, at, refusal) VALUES (${version}, 'pinned', ${epoch + 10_000 + n}, '${pin}');`;
  });
  const book = await open(t, { directory: oldLedger(t, 3, `BEGIN;${rows.join('')}COMMIT;`) });
  const { pins } = book.memory.rollout;
  assert.equal(pins.length, 1000);
  assert.deepEqual(pins[0], {
    version: sha(105),
    cause: { type: 'refused', node: 'n', code: 13, message: "it's wrong" },
  });
  assert.equal(pins.at(-1)?.version, sha(1104));
});
