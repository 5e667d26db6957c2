import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Metrics } from '../../src/daemon/metrics.ts';
import type { Gauges } from '../../src/daemon/metrics.ts';
import { problemCodes } from '../../src/daemon/problems.ts';
import type { Fact } from '../../src/state/facts.ts';
import { readVersion } from '../../src/version.ts';
import { versionOf } from '../helpers/ids.ts';

const nothing = {
  counts: { connected: 0, acked: 0, pending: 0, refusing: 0, unanswered: 0 },
  streams: 0,
  loadStreams: 0,
  pinned: 0,
  gone: 0,
  muted: 0,
  backlog: 0,
};
const idle = { ...nothing, live: null, head: null, problems: [], fetchedAt: null };
const operating = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8');

function watching(gauges: Gauges = idle): Metrics {
  const metrics = new Metrics();
  metrics.observe(() => gauges);
  return metrics;
}

/** What facts add to the counters. */
async function countOf(...facts: Fact[]): Promise<string[]> {
  const metrics = watching();
  for (const fact of facts) metrics.count(fact);
  const text = await metrics.text();
  return text
    .split('\n')
    .filter((line) => /^shardplane_(revisions|rollbacks|answers|settle_seconds_count)[^ ]* [1-9]/.test(line));
}

test('each fact counts once, as what it is', async () => {
  const version = versionOf('v');
  const refusal = { node: 'n', code: 13, message: 'no' };
  const { counts } = idle;
  const live = { type: 'live', version, since: 0, proven: true, isSettled: true, push: 1, counts } as const;
  assert.deepEqual(await countOf({ ...live, isNew: true }), ['shardplane_revisions_total{outcome="live"} 1']);
  assert.deepEqual(
    await countOf({ ...live, isNew: false }, { type: 'offered', version, push: 1, counts, wave: null }),
    [],
  );
  assert.deepEqual(await countOf({ type: 'rolled_back', version, cause: { type: 'refused', ...refusal }, counts }), [
    'shardplane_revisions_total{outcome="rolled_back"} 1',
    'shardplane_rollbacks_total 1',
  ]);
  assert.deepEqual(await countOf({ type: 'still_pinned', version, cause: { type: 'refused', ...refusal } }), [
    'shardplane_revisions_total{outcome="rolled_back"} 1',
  ]);
  assert.deepEqual(
    await countOf(
      { type: 'superseded', version },
      { type: 'closed', version, outcome: 'superseded', isNew: true },
      { type: 'closed', version, outcome: 'live', isNew: false },
    ),
    ['shardplane_revisions_total{outcome="superseded"} 2'],
  );
  assert.deepEqual(
    await countOf({ type: 'unanswered', version, node: 'n' }, { type: 'settled', version, push: 1, ms: 5, counts }),
    ['shardplane_answers_total{answer="none"} 1', 'shardplane_settle_seconds_count 1'],
  );
});

test('every label is there from the start, with 0', async () => {
  const metrics = watching();
  const text = await metrics.text();
  const series = [
    ...['invalid', 'live', 'rolled_back', 'superseded', 'held'].map(
      (outcome) => `revisions_total{outcome="${outcome}"}`,
    ),
    ...['ack', 'nack', 'none'].map((answer) => `answers_total{answer="${answer}"}`),
    ...['joined', 'left', 'stale', 'reject', 'failed', 'unsupported'].map(
      (event) => `xds_events_total{event="${event}"}`,
    ),
    ...['acked', 'pending', 'refusing', 'unanswered'].map((state) => `nodes{state="${state}"}`),
    ...problemCodes.map((code) => `problem{code="${code}"}`),
    'rollbacks_total',
    'pushes_total',
  ];
  for (const name of series) assert.ok(text.includes(`\nshardplane_${name} 0\n`), name);
  metrics.onStreamFailure();
  assert.match(await metrics.text(), /^shardplane_xds_events_total\{event="failed"\} 1$/m);
});

test('the process, Node, the version and the last fetch', async () => {
  const text = await watching({ ...idle, backlog: 0, problems: ['remote'], fetchedAt: 1_500 }).text();
  for (const name of [
    'process_resident_memory_bytes',
    'process_start_time_seconds',
    'nodejs_eventloop_lag_p99_seconds',
  ])
    assert.match(text, new RegExp(`^${name} [0-9.e-]+$`, 'm'));
  assert.ok(text.includes(`shardplane_build_info{version="${readVersion()}",node_version="${process.version}"} 1\n`));
  assert.match(text, /^shardplane_last_fetch_seconds 1\.5$/m);
  assert.match(text, /^shardplane_problem\{code="remote"\} 1$/m);
  assert.doesNotMatch(await watching().text(), /^shardplane_last_fetch_seconds /m);
});

test('docs/operating.md has every code of a problem', () => {
  const [, row = ''] = /^\| `shardplane_problem` \|(.*)$/m.exec(operating) ?? [];
  const named = [...row.matchAll(/`([a-z-]+)`/g)].map(([, code]) => code).filter((code) => code !== 'code');
  assert.deepEqual(named.sort(), [...problemCodes].sort());
});
