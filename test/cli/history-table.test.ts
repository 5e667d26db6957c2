import assert from 'node:assert/strict';
import test from 'node:test';
import { formatHistory, formatStory } from '../../src/cli/history-table.ts';
import { epoch, failure, manualClock, open, revision, sha, success, temporary } from '../ledger/support.ts';

const plain = { color: false, now: epoch + 3 * 24 * 60 * 60 * 1000 };

function sample(t: test.TestContext) {
  const clock = manualClock();
  const ledger = open(t, { directory: temporary(t), clock: clock.read });
  ledger.recordAll(success(1));
  clock.now = plain.now - 7_200_000;
  ledger.recordAll(failure(2));
  clock.now = plain.now - 120_000;
  ledger.recordAll([
    revision(3),
    { type: 'held', version: sha(3), reason: 'removes 3 of 4 customers' },
    { type: 'outcome', version: sha(3), outcome: 'held' },
  ]);
  clock.now = plain.now + 5;
  ledger.record({ ...revision(4), subject: 'Clear \u001b[2J the\nscreen\u202e' } as never);
  return ledger;
}

test('the history is a table of one line for each revision', (t) => {
  assert.equal(
    formatHistory(sample(t).history({ limit: 9 }), plain),
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

test('colour is added, and nothing else', (t) => {
  const entries = sample(t).history({ limit: 9 });
  const colored = formatHistory(entries, { ...plain, color: true });
  assert.ok(colored.includes('\u001b[31mrolled_back'));
  // eslint-disable-next-line no-control-regex -- the colours
  assert.equal(colored.replaceAll(/\u001b\[\d+m/g, ''), formatHistory(entries, plain));
});

test('a story has the head, the marks and every event in words', (t) => {
  const story = sample(t).story(sha(2));
  assert.ok(story !== null && story !== 'ambiguous');
  const at = '2026-01-03T22:00:00.000Z';
  assert.equal(
    formatStory(story, plain),
    [
      `${sha(2)} Change 2`,
      'Ada <ada@example.org>, 2026-01-01T00:00:00Z',
      'pinned: it was refused, and is not pushed again before `shardplane retry`',
      '',
      `${at}  seen`,
      `${at}  pushed to 2 nodes`,
      `${at}  refused by envoy-1 at shard-config.yaml:7:3 (a.b): Invalid runtime entry value for a.b`,
      `${at}  pinned: not pushed again before a retry`,
      `${at}  acknowledged by 1 of 2, 1 refused, 0 unanswered`,
      `${at}  kept, to be served again`,
      `${at}  outcome: rolled_back (Invalid runtime entry value for a.b)`,
      '',
    ].join('\n'),
  );
});

test('what one moment has written reads in the order in which it makes sense', (t) => {
  const ledger = open(t, { directory: temporary(t) });
  const [seen, compiled] = success(1);
  assert.deepEqual([seen!.type, compiled!.type], ['revision', 'release']);
  const version = sha(1);
  ledger.recordAll([
    seen!,
    { type: 'push_started', version, seq: 1, connected: 0 },
    { type: 'outcome', version, outcome: 'live' },
    compiled!,
    { type: 'live', live: { version, since: epoch, proven: false } },
    { type: 'push_settled', version, seq: 1, connected: 0, acked: 0, refused: 0, unanswered: 0 },
  ]);
  const story = ledger.story(version);
  assert.ok(story !== null && story !== 'ambiguous');
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
