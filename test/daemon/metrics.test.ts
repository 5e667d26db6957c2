import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Metrics } from '../../src/daemon/metrics.ts';
import { problemCodes } from '../../src/daemon/problems.ts';
import { readVersion } from '../../src/version.ts';

const nothing = {
  counts: { connected: 0, acked: 0, pending: 0, refusing: 0, unanswered: 0 },
  streams: 0,
  pinned: 0,
  gone: 0,
  muted: 0,
  backlog: 0,
};
const idle = { ...nothing, live: null, head: null, problems: [], fetchedAt: null };
const operating = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8');

test('every label is there from the start, with 0', async () => {
  const metrics = new Metrics(() => idle);
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
  const text = await new Metrics(() => ({ ...idle, backlog: 0, problems: ['remote'], fetchedAt: 1_500 })).text();
  for (const name of [
    'process_resident_memory_bytes',
    'process_start_time_seconds',
    'nodejs_eventloop_lag_p99_seconds',
  ])
    assert.match(text, new RegExp(`^${name} [0-9.e-]+$`, 'm'));
  assert.ok(text.includes(`shardplane_build_info{version="${readVersion()}",node_version="${process.version}"} 1\n`));
  assert.match(text, /^shardplane_last_fetch_seconds 1\.5$/m);
  assert.match(text, /^shardplane_problem\{code="remote"\} 1$/m);
  assert.doesNotMatch(await new Metrics(() => idle).text(), /^shardplane_last_fetch_seconds /m);
});

test('docs/operating.md has every code of a problem', () => {
  const [, row = ''] = /^\| `shardplane_problem` \|(.*)$/m.exec(operating) ?? [];
  const named = [...row.matchAll(/`([a-z-]+)`/g)].map(([, code]) => code).filter((code) => code !== 'code');
  assert.deepEqual(named.sort(), [...problemCodes].sort());
});
