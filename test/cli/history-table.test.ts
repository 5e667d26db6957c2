import assert from 'node:assert/strict';
import test from 'node:test';
import { formatHistory, formatStory } from '../../src/cli/history-table.ts';
import type { HistoryEntry, StoryEvent } from '../../src/ledger/store.ts';
import {
  epoch,
  failure,
  held,
  live,
  manualClock,
  offered,
  open,
  seen,
  settled,
  sha,
  success,
  temporary,
} from '../ledger/support.ts';

const plain = { color: false, now: epoch + 3 * 24 * 60 * 60 * 1000 };

async function sample(t: test.TestContext) {
  const clock = manualClock();
  const book = await open(t, { directory: temporary(t), clock: clock.read });
  await book.record(...success(1));
  clock.now = plain.now - 7_200_000;
  await book.record(...failure(2));
  clock.now = plain.now - 120_000;
  await book.record(seen(3), held(3, 'removes 3 of 4 customers'));
  clock.now = plain.now + 5;
  const { revision } = seen(4);
  await book.record({ ...seen(4), revision: { ...revision, subject: 'Clear \u001b[2J the\nscreen\u202e' } });
  return book;
}

test('the history is a table of one line for each revision', async (t) => {
  assert.equal(
    formatHistory(await (await sample(t)).journal.history({ limit: 9 }), plain),
    [
      'COMMIT        OUTCOME      SEEN    ACKED   SUBJECT',
      '000000040000  pending      0s ago  -       Clear \\u{1b}[2J the\\u{a}screen\\u{202e}',
      '000000030000  held         2m ago  -       Change 3',
      '000000020000  rolled_back  2h ago  1 of 2  Change 2',
      '000000010000  live now     3d ago  2 of 2  Change 1',
      '',
    ].join('\n'),
  );
});

test('no history is no output', () => {
  assert.equal(formatHistory([], plain), '');
});

test('colour is added, and nothing else', async (t) => {
  const entries = await (await sample(t)).journal.history({ limit: 9 });
  const colored = formatHistory(entries, { ...plain, color: true });
  assert.ok(colored.includes('\u001b[31mrolled_back'));
  // eslint-disable-next-line no-control-regex -- the colours
  assert.equal(colored.replaceAll(/\u001b\[\d+m/g, ''), formatHistory(entries, plain));
});

test('a story has the head, the marks and every event in words', async (t) => {
  const story = await (await sample(t)).story(2);
  const at = '2026-01-03T22:00:00.000Z';
  assert.equal(
    formatStory(story, plain),
    [
      `${sha(2)} Change 2`,
      'Ada <ada@example.org>, 2026-01-01T00:00:00Z',
      'pinned: it was rolled back, and is not pushed again before `shardplane retry`',
      'shard-config.yaml:7:3: Envoy envoy-1 refused it: Invalid runtime entry value for a.b [refused]',
      '',
      `${at}  seen`,
      `${at}  pushed to 2 nodes`,
      `${at}  refused by envoy-1 at shard-config.yaml:7:3 (a.b): Invalid runtime entry value for a.b`,
      `${at}  pinned: not pushed again before a retry`,
      `${at}  acknowledged by 1 of 2, 1 refused, 0 unanswered`,
      `${at}  outcome: rolled_back`,
      '',
    ].join('\n'),
  );
});

test('what one moment has written reads in the order in which it makes sense', async (t) => {
  const book = await open(t, { directory: temporary(t) });
  const nobody = { connected: 0, acked: 0, refusing: 0, unanswered: 0, pending: 0 };
  await book.record(
    seen(1),
    { ...offered(1), counts: nobody },
    live(1, { proven: false, counts: nobody }),
    settled(1, nobody),
  );
  const story = await book.story(1);
  const words = formatStory(story, plain).trim().split('\n').slice(4);
  assert.deepEqual(
    words.map((line) => line.split('  ')[1]),
    [
      'seen',
      'pushed to 0 nodes',
      'acknowledged by 0 of 0, 0 refused, 0 unanswered',
      'kept, to be served again',
      'live, unproven',
      'outcome: live',
    ],
  );
});

test('a gradual rollout: its waves, checks, and who did what and why', () => {
  const wave = { strategy: 'careful', wave: 1, waves: 3, nodes: 1, customers: null };
  const event = (type: string, detail: object = {}, by: string | null = null): StoryEvent => ({
    ...{ at: `2026-01-01T00:00:${String(++second).padStart(2, '0')}.000Z`, type, by },
    detail: { ...detail },
  });
  let second = 0;
  const events = [
    event('wave_waits', { ...wave, reason: 'nodes', detail: '1 of 4 nodes are connected', until: 0 }),
    event('push_started', { ...wave, seq: 1, connected: 4 }),
    event('push_settled', { seq: 1, connected: 4, acked: 4, refused: 0, unanswered: 0 }),
    event('baking', { ...wave, until: 0 }),
    event('check', { name: 'errors', verdict: 'no_data', message: 'no requests' }),
    event('paused', { reason: 'operator', why: 'p99' }, 'ann'),
    event('resumed', { why: '' }, 'ann'),
    event('frozen', { until: 0, why: 'load test' }, 'bob'),
    event('wave_waits', { ...wave, reason: 'freeze', detail: 'by bob', until: 0 }),
    event('unfrozen', { why: 'its time is over' }, 'shardplane'),
    event('wave_waits', { ...wave, reason: 'promotion', detail: null, until: null }),
    event('promoted', { all: true, why: '' }, 'ann'),
    event('wave_skipped', wave),
    event('push_started', { ...wave, wave: 2, nodes: 4, customers: 10, connected: 4 }),
    event('pinned', { check: { name: 'errors', message: '9 % of 100' } }),
    event('pinned', { aborted: { why: 'customers complain' } }, 'ann'),
  ];
  const revision: HistoryEntry = {
    ...{
      id: 1,
      version: sha(1),
      subject: 'S',
      author: 'A',
      committedAt: '',
      seenAt: '',
      outcome: null,
      outcomeAt: null,
    },
    ...{ reason: null, diagnostics: [], push: null, live: false, pinned: false, held: false },
    rollout: { wave: 2, waves: 3, paused: false },
  };
  const lines = formatStory({ revision, events }, plain).trim().split('\n').slice(3);
  assert.deepEqual(
    lines.map((line) => line.slice(26)),
    [
      'careful, wave 1 of 3: waits for nodes to connect (1 of 4 nodes are connected), until 1970-01-01T00:00:00Z',
      'careful, wave 1 of 3: pushed to 1 of 4 nodes',
      'all have answered, 0 refused, 0 unanswered',
      'careful, wave 1 of 3: bakes until 1970-01-01T00:00:00Z',
      'check errors: no data, no requests',
      'paused by ann: p99',
      'resumed by ann',
      'frozen by bob until 1970-01-01T00:00:00Z: load test',
      'careful, wave 1 of 3: waits for the end of a freeze (by bob), until 1970-01-01T00:00:00Z',
      'unfrozen by shardplane: its time is over',
      'careful, wave 1 of 3: waits for an operator to promote it',
      'promoted by ann to everyone',
      'careful, wave 1 of 3: skipped, it would reach no node',
      'careful, wave 2 of 3: pushed to 4 of 4 nodes, for 10 % of the customers',
      'pinned by check errors: 9 % of 100: not pushed again before a retry',
      'pinned by ann, aborted: customers complain: not pushed again before a retry',
    ],
  );
  assert.match(formatHistory([revision], plain), /^000000010000 {2}wave 2 of 3 {2}/m);
  const paused = { ...revision, rollout: { wave: 2, waves: 3, paused: true } };
  assert.match(formatHistory([paused], plain), / paused, wave 2 of 3 /);
  const push = { startedAt: '', settledAt: '', connected: 4, acked: 4, refused: 0, unanswered: 0 };
  assert.match(formatHistory([{ ...revision, push }], plain), / wave 2 of 3 .* - +S$/m, 'not that all four have it');
});
