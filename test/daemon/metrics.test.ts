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
const none = { requests: 0, errors: 0 };
const atRest: Gauges['rollout'] = {
  ...{ phase: 'none', wave: 0, waves: 0, checks: [], overdueMs: 0, isFrozen: false },
  load: { wave: none, rest: none },
};
const idle = { ...nothing, rollout: atRest, live: null, head: null, problems: [], fetchedAt: null };
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
    .filter((line) =>
      /^shardplane_(revisions|rollbacks|rollout_aborts|answers|settle_seconds_count)[^ ]* [1-9]/.test(line),
    );
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
    'shardplane_rollout_aborts_total{cause="refused"} 1',
  ]);
  const check = { type: 'check', name: 'errors', message: '9 %' } as const;
  const aborted = { type: 'aborted', by: 'ann', why: '' } as const;
  assert.deepEqual(
    (
      await countOf(
        { type: 'rolled_back', version, cause: check, counts },
        { type: 'rolled_back', version, cause: aborted, counts },
      )
    ).slice(-2),
    ['shardplane_rollout_aborts_total{cause="check"} 1', 'shardplane_rollout_aborts_total{cause="aborted"} 1'],
  );
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
    ...['refused', 'check', 'aborted'].map((cause) => `rollout_aborts_total{cause="${cause}"}`),
    ...['waiting', 'pushing', 'baking', 'paused'].map((phase) => `rollout_phase{phase="${phase}"}`),
    ...['wave', 'rest'].flatMap((of) => [`load_requests{of="${of}"}`, `load_errors{of="${of}"}`]),
    ...['rollout_wave', 'rollout_waves', 'rollout_bake_seconds', 'frozen'],
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

test('a scrape looks at the fleet once, the next one again', async () => {
  let looks = 0;
  const metrics = new Metrics();
  metrics.observe(() => ({ ...idle, pinned: (looks += 1) }));
  assert.match(await metrics.text(), /^shardplane_pinned_releases 1$/m);
  assert.match(await metrics.text(), /^shardplane_pinned_releases 2$/m);
});

test('docs/operating.md has every code of a problem', () => {
  const [, row = ''] = /^\| `shardplane_problem` \|(.*)$/m.exec(operating) ?? [];
  const named = [...row.matchAll(/`([a-z-]+)`/g)].map(([, code]) => code).filter((code) => code !== 'code');
  assert.deepEqual(named.sort(), [...problemCodes].sort());
});

test('a rollout: its phase, its wave, its checks, and the load of the wave and of the rest', async () => {
  const rollout: Gauges['rollout'] = {
    ...{ phase: 'baking', wave: 2, waves: 4, overdueMs: 90_000, isFrozen: true },
    checks: [
      { name: 'errors', verdict: 'fail' },
      { name: 'p99', verdict: null },
    ],
    load: { wave: { requests: 10, errors: 2 }, rest: { requests: 90, errors: 1 } },
  };
  const lines = (await watching({ ...idle, rollout }).text()).split('\n');
  const shown = lines.filter((line) => /^shardplane_(rollout_(?!aborts)|frozen|load_(requests|errors))/.test(line));
  assert.deepEqual(shown, [
    'shardplane_rollout_phase{phase="waiting"} 0',
    'shardplane_rollout_phase{phase="pushing"} 0',
    'shardplane_rollout_phase{phase="baking"} 1',
    'shardplane_rollout_phase{phase="paused"} 0',
    'shardplane_rollout_phase{phase="none"} 0',
    'shardplane_rollout_wave 2',
    'shardplane_rollout_waves 4',
    ...['pass', 'fail', 'no_data'].map(
      (verdict) => `shardplane_rollout_check{name="errors",verdict="${verdict}"} ${verdict === 'fail' ? 1 : 0}`,
    ),
    ...['pass', 'fail', 'no_data'].map((verdict) => `shardplane_rollout_check{name="p99",verdict="${verdict}"} 0`),
    'shardplane_rollout_bake_seconds 90',
    'shardplane_frozen 1',
    'shardplane_load_requests{of="wave"} 10',
    'shardplane_load_requests{of="rest"} 90',
    'shardplane_load_errors{of="wave"} 2',
    'shardplane_load_errors{of="rest"} 1',
  ]);
});

test('docs/operating.md has each metric, and no other', async () => {
  const text = await watching({
    ...idle,
    fetchedAt: 1,
    live: { version: 'v', since: 0, proven: true },
    rollout: { ...atRest, checks: [{ name: 'p99', verdict: null }] },
  }).text();
  const real = [...text.matchAll(/^# TYPE (shardplane_\w+) /gm)].map(([, name]) => name);
  const documented = [...operating.matchAll(/^\| `(shardplane_\w+)` \|/gm)].map(([, name]) => name);
  assert.deepEqual(documented.sort(), real.sort());
});
