import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { temporaryFolder } from '../helpers/git.ts';
import { findPromtool, skipWithoutPrometheus } from '../helpers/prometheus.ts';

const file = fileURLToPath(new URL('../../config/alerts.yml', import.meta.url));
const operating = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly runbook_url: string };
}

const { groups } = parse(readFileSync(file, 'utf8')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

/** A heading as an anchor. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
}

test('each alert asks for metrics that docs/operating.md has, and leads to a section of it', () => {
  const metrics = new Set([...operating.matchAll(/^\| `(shardplane_\w+)` \|/gm)].map(([, name]) => name));
  const anchors = new Set([...operating.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading)));
  assert.ok(rules.length > 10);
  for (const { alert, expr, annotations } of rules) {
    for (const [name] of expr.matchAll(/shardplane_\w+/g)) assert.ok(metrics.has(name), `${alert}: ${name}`);
    const [url, anchor = ''] = annotations.runbook_url.split('#');
    assert.match(url!, /\/docs\/operating\.md$/);
    assert.ok(anchors.has(anchor), `${alert}: #${anchor}`);
  }
});

const labels = 'instance="a", job="shardplane"';

/** What fires at a time (of promtool: `7m`), when these series stand still since the start. */
function fires(
  name: string,
  series: Record<string, string>,
  at: string,
  alerts: Record<string, Record<string, string>>,
) {
  const named = (alertname: string) => alerts[alertname];
  return {
    name,
    interval: '4m',
    input_series: Object.entries(series).map(([metric, values]) => ({
      series: metric.includes('{') ? metric.replace('}', `, ${labels}}`) : `${metric}{${labels}}`,
      values,
    })),
    alert_rule_test: rules.map(({ alert }) => ({
      eval_time: at,
      alertname: alert,
      exp_alerts:
        named(alert) === undefined ? [] : [{ exp_labels: { job: 'shardplane', instance: 'a', ...named(alert) } }],
    })),
  };
}

test('the alerts fire when they should, and only then', { skip: skipWithoutPrometheus() }, async () => {
  await using folder = await temporaryFolder();
  const well = {
    up: '1x2000',
    shardplane_head_is_live: '1x2000',
    shardplane_head_held: '0x2000',
    shardplane_frozen: '0x2000',
    shardplane_rollout_waves: '0x2000',
    shardplane_rollout_bake_seconds: '0x2000',
    shardplane_rollbacks_total: '0x2000',
    'shardplane_nodes{state="acked"}': '3x2000',
  };
  const waves = { ...well, shardplane_head_is_live: '0x2000', shardplane_rollout_waves: '4x2000' };
  const tests = [
    fires('all is well', well, '2h', {}),
    fires('in waves', waves, '2h', {}),
    fires('stuck', { ...well, shardplane_head_is_live: '0x2000' }, '3m', { ShardplaneCommitNotLive: {} }),
    fires('paused', { ...waves, 'shardplane_rollout_phase{phase="paused"}': '1x2000' }, '6m', {
      ShardplaneRolloutPaused: { phase: 'paused' },
    }),
    fires('waits', { ...waves, 'shardplane_rollout_phase{phase="waiting"}': '1x2000' }, '31m', {
      ShardplaneRolloutWaits: { phase: 'waiting' },
    }),
    fires('no data', { ...waves, 'shardplane_rollout_check{name="p99", verdict="no_data"}': '1x2000' }, '6m', {
      ShardplaneCheckNoData: { name: 'p99', verdict: 'no_data' },
    }),
    fires('bakes on', { ...waves, shardplane_rollout_bake_seconds: '0+240x2000' }, '13m', {
      ShardplaneBakesTooLong: {},
    }),
    fires(
      'frozen, and a commit waits for its end',
      {
        ...{
          ...well,
          shardplane_head_is_live: '0x2000',
          shardplane_head_held: '1x2000',
          shardplane_frozen: '1x2000',
        },
        'shardplane_rollout_phase{phase="waiting"}': '1x2000',
      },
      '2h',
      {},
    ),
    fires('rolled back', { ...well, shardplane_rollbacks_total: '0 1x5' }, '9m', { ShardplaneRolledBack: {} }),
  ];
  const long = [
    fires('frozen for long', { ...well, shardplane_frozen: '1x2000' }, '121h', { ShardplaneFrozenLong: {} }),
  ];
  // promtool compares annotations, too: only the conditions are tested here.
  const bare = rules.map((rule) => ({ ...rule, annotations: undefined }));
  writeFileSync(join(folder.path, 'alerts.yml'), stringify({ groups: [{ name: 'shardplane', rules: bare }] }));
  const write = (name: string, content: object) =>
    writeFileSync(join(folder.path, name), stringify({ rule_files: ['alerts.yml'], ...content }));
  write('tests.yml', { tests });
  write('long.yml', { evaluation_interval: '1h', tests: long });
  const run = (...args: string[]) => execFileSync(findPromtool(), args, { encoding: 'utf8', timeout: 60_000 });
  assert.match(run('check', 'rules', file), /SUCCESS/);
  assert.match(run('test', 'rules', ...['tests.yml', 'long.yml'].map((name) => join(folder.path, name))), /SUCCESS/);
});
