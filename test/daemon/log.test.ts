import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { pino } from 'pino';
import { logFact, logProblem } from '../../src/daemon/log-facts.ts';
import type { Fact } from '../../src/state/facts.ts';
import { versionOf } from '../helpers/ids.ts';

const log = new URL('../../src/daemon/log.ts', import.meta.url).href;

function say(format: string, message: string): string {
  const script = `import { createLog } from ${JSON.stringify(log)};
    createLog({ level: 'info', format: ${JSON.stringify(format)} }, {}).warn({ hint: process.argv[1] }, process.argv[1]);`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', script, message], {
    encoding: 'utf8',
    timeout: 20_000,
  }).stderr;
}

test('what Envoy or a commit says can neither forge a line nor move the cursor', () => {
  const text = say('text', 'bad\n12:00:00.000 info  live is deadbeef\u001b[2K');
  assert.equal(text.split('\n').length, 2, text);
  assert.ok(!text.includes('\u001b'), text);
  assert.match(text, /^\d\d:\d\d:\d\d\.\d{3}Z warn {2}bad\\u\{a\}12:00:00/);
});

test('JSON is one line for each event', () => {
  const { level, msg } = JSON.parse(say('json', 'a\nb')) as { level: string; msg: string };
  assert.deepEqual([level, msg], ['warn', 'a\nb']);
});

test('no secret is in a message or a field', () => {
  const script = `import { createLog } from ${JSON.stringify(log)};
    const redact = (text) => text.replaceAll('hunter2', '***');
    const log = createLog({ level: 'info', format: process.argv[1] }, {}, redact);
    log.warn({ hint: 'h hunter2', drawn: 'd hunter2', ms: 7 }, 'm hunter2');
    log.error(new Error('e hunter2'));`;
  for (const format of ['text', 'json']) {
    const args = ['--input-type=module', '-e', script, format];
    const { stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 });
    assert.doesNotMatch(stderr, /hunter2/);
    for (const words of ['h \\*\\*\\*', 'd \\*\\*\\*', 'm \\*\\*\\*', 'e \\*\\*\\*', '7'])
      assert.match(stderr, new RegExp(words));
  }
});

/** What facts and a problem become in JSON, without their words. */
function fieldsOf(say: (log: pino.Logger) => void): unknown[] {
  const lines: string[] = [];
  const log = pino(
    { base: null, timestamp: false, level: 'debug' },
    { write: (line: string) => void lines.push(line) },
  );
  say(log);
  return lines.map((line) => {
    const { level, msg, ...fields } = JSON.parse(line) as { level: number; msg: string };
    assert.ok(level > 0 && msg !== '');
    return fields;
  });
}

test('programs find the event, the full SHA, the node, the outcome and the code beside the words', () => {
  const version = versionOf('a'.repeat(40));
  const refusal = { node: 'edge-1', code: 13, message: 'no' };
  const counts = { connected: 1, acked: 1, pending: 0, refusing: 0, unanswered: 0 };
  const facts: Fact[] = [
    { type: 'offered', version, push: 1, counts, wave: null },
    { type: 'refused', version, refusal },
    { type: 'rolled_back', version, cause: { type: 'refused', ...refusal }, counts },
    { type: 'live', version, since: 0, proven: true, isNew: true, isSettled: false, push: 1, counts },
    { type: 'unanswered', version, node: 'edge-1' },
    { type: 'superseded', version },
    { type: 'settled', version, push: 1, ms: 7, counts },
    { type: 'held', version, reason: 'it shrinks', diagnostics: [] },
    { type: 'muted', node: 'edge-1', by: 'ops' },
  ];
  const about = { subject: 's', source: null };
  const seen = fieldsOf((log) => facts.forEach((fact) => logFact(log, fact, about)));
  const [rolledBack] = seen.splice(2, 1) as { drawn: string }[];
  assert.match(rolledBack!.drawn, /error: Envoy edge-1 refused it: no \[refused\]/);
  assert.deepEqual(seen, [
    { event: 'pushing', version },
    { event: 'refused', version, node: 'edge-1' },
    { event: 'live', version, outcome: 'live', proven: true },
    { event: 'unanswered', version, node: 'edge-1' },
    { event: 'outcome', version, outcome: 'superseded' },
    { event: 'settled', version, ms: 7, acked: 1, connected: 1 },
    { event: 'held', version, outcome: 'held' },
    { event: 'muted', node: 'edge-1', by: 'ops' },
  ]);
  const problem = { code: 'remote', message: 'away', hint: null, since: '' };
  assert.deepEqual(
    fieldsOf((log) => (['begins', 'ends'] as const).forEach((change) => logProblem(log, change, problem))),
    [
      { event: 'problem_begins', code: 'remote' },
      { event: 'problem_ends', code: 'remote' },
    ],
  );
});

test('a line that says no other event is a notice; text has none of the fields that are in its words', () => {
  assert.equal((JSON.parse(say('json', 'a')) as { event: string }).event, 'notice');
  assert.match(say('text', 'a'), /Z warn {2}a hint=a\n$/);
});

test('docs/operating.md has every event, and no other', () => {
  const root = new URL('../../', import.meta.url).pathname;
  const source = globSync('src/**/*.ts', { cwd: root }).map((file) => readFileSync(root + file, 'utf8'));
  const calls = source.join('\n').matchAll(/\blog\.(?:debug|info|warn|error)\(\s*\{\s*event: '([a-z_]+)'/g);
  // Those of a rollout are named as their facts are.
  const [, facts = ''] = /type OfRollout = FactOf<([^>]*)>/.exec(source.join('\n')) ?? [];
  const said = new Set([...[...calls].map(([, event]) => event), ...(facts.match(/[a-z_]+/g) ?? [])]);
  const [, table = ''] =
    /\n\| `event` \|.*\n.*\n((?:\|.*\n)+)/.exec(readFileSync(`${root}docs/operating.md`, 'utf8')) ?? [];
  const named = [...table.matchAll(/^\|(.*?)\|/gm)].flatMap(([, cell = '']) => cell.match(/[a-z_]+/g) ?? []);
  assert.deepEqual(named.sort(), [...said, 'notice'].sort());
});
