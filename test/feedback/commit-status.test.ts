import assert from 'node:assert/strict';
import test from 'node:test';
import { isNews, toRequest } from '../../src/feedback/providers.ts';
import type { RevisionReport } from '../../src/feedback/commit-status.ts';
import { toCommitStatus } from '../../src/feedback/commit-status.ts';

const version = 'a'.repeat(40);
const counts = { connected: 3, acked: 2, unanswered: 0 };
const refused = {
  code: 'refused',
  message: 'Envoy envoy-1 refused it: Invalid runtime entry value for a.b',
  file: 'shard-config.yaml',
  line: 7,
  column: 3,
  hint: null,
} as const;

function said(report: Partial<RevisionReport>): string {
  const { state, description } = toCommitStatus({ version, outcome: null, diagnostics: [], counts, ...report });
  return `${state}: ${description}`;
}

test('each outcome in words', () => {
  assert.equal(said({}), 'pending: rolling out: acked 2 of 3');
  assert.equal(
    said({ counts: { connected: 3, acked: 2, unanswered: 1 } }),
    'pending: rolling out: acked 2 of 3, 1 unanswered',
  );
  assert.equal(
    said({ outcome: 'live', counts: { connected: 3, acked: 3, unanswered: 0 } }),
    'success: live: acked 3 of 3',
  );
  assert.equal(
    said({ outcome: 'live', counts: { connected: 0, acked: 0, unanswered: 0 } }),
    'success: live; no Envoy was connected to try it',
  );
  assert.equal(
    said({ outcome: 'rolled_back', diagnostics: [refused] }),
    'failure: rolled back; shard-config.yaml:7:3: Envoy envoy-1 refused it: Invalid runtime entry value for a.b',
  );
  assert.equal(said({ outcome: 'rolled_back' }), 'failure: rolled back; an Envoy refused it');
  assert.equal(
    said({ outcome: 'invalid', diagnostics: [{ ...refused, code: 'schema', message: 'must be an integer' }, refused] }),
    'failure: shard-config.yaml:7:3: must be an integer (and 1 more)',
  );
  assert.equal(said({ outcome: 'superseded' }), 'canceled: a newer commit took its place before it was rolled out');
  assert.match(
    said({
      outcome: 'held',
      diagnostics: [{ ...refused, code: 'held', message: 'held: removes 3 of 4 customers' } as never],
    }),
    /^pending: .*held: removes/,
  );
});

test('what a terminal or a page would obey is escaped', () => {
  assert.equal(
    said({ outcome: 'invalid', diagnostics: [{ ...refused, message: 'a\nb\u001b[2J' }] }),
    'failure: shard-config.yaml:7:3: a\\u{a}b\\u{1b}[2J',
  );
});

test('each host gets its own form', () => {
  const status = { version, state: 'failure', description: 'd' } as const;
  const target = { url: 'https://user:password@git.example.org/api/?x=1', context: 'shardplane' };
  const forms = (['github', 'gitlab', 'gitea'] as const).map((provider) =>
    toRequest({ ...target, provider }, status, 't0ken'),
  );
  for (const { url } of forms) assert.equal(url, `https://git.example.org/api/statuses/${version}`);
  assert.deepEqual(
    forms.map(({ body }) => JSON.parse(body) as unknown),
    [
      { state: 'failure', description: 'd', context: 'shardplane' },
      { state: 'failed', description: 'd', name: 'shardplane' },
      { state: 'failure', description: 'd', context: 'shardplane' },
    ],
  );
  assert.deepEqual(
    forms.map(({ headers }) => headers.authorization ?? headers['private-token']),
    ['Bearer t0ken', 't0ken', 'token t0ken'],
  );
});

test('a description is cut to what the host takes, in characters', () => {
  const status = { version, state: 'failure', description: '🦊'.repeat(300) } as const;
  for (const [provider, length] of [
    ['github', 140],
    ['gitlab', 255],
    ['gitea', 255],
  ] as const) {
    const { description } = JSON.parse(toRequest({ provider, url: 'https://h/', context: 'c' }, status, 't').body) as {
      description: string;
    };
    assert.equal(description, `${'🦊'.repeat(length - 1)}…`);
  }
});

test('only transitions are news', () => {
  const pending = { version, state: 'pending', description: 'acked 0 of 3' } as const;
  const later = { ...pending, description: 'acked 1 of 3' };
  const success = { version, state: 'success', description: 'live' } as const;
  const canceled = { version, state: 'canceled', description: 'overtaken' } as const;
  for (const provider of ['github', 'gitlab', 'gitea'] as const) {
    assert.equal(isNews(provider, null, pending), true);
    assert.equal(isNews(provider, pending, pending), false);
    assert.equal(isNews(provider, pending, success), true);
    assert.equal(isNews(provider, success, { ...success }), false);
    assert.equal(isNews(provider, success, pending), true);
    assert.equal(isNews(provider, pending, canceled), true);
    assert.equal(isNews(provider, null, canceled), false);
    assert.equal(isNews(provider, pending, later), provider !== 'gitlab');
  }
});
