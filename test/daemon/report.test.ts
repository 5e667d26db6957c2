import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toNote, toReport } from '../../src/daemon/report.ts';
import { toCommitStatus } from '../../src/feedback/commit-status.ts';
import { drawDiagnostic } from '../../src/terminal.ts';
import type { Head } from '../../src/revisions/state.ts';
import type { Fact } from '../../src/state/facts.ts';
import { versionOf } from '../helpers/ids.ts';

const counts = { connected: 4, acked: 3, pending: 0, refusing: 1, unanswered: 0 };
const place = { key: 'a', file: 'f.yaml', line: 3, column: 5 };
const refusal = { node: 'edge-1', code: 13, message: 'no', place };
const version = versionOf('v');
const head: Head = { version, subject: 's', outcome: null, diagnostics: [] };
const live = { type: 'live', version, since: 0, push: 1, isSettled: true, counts } as const;

function noteOf(fact: Fact, newest: Head | null = head): string | null {
  const report = toReport(fact, newest, () => counts);
  return report && `${report.version} ${toNote(report)}`;
}

test('what becomes of a revision is reported once for each fact that says so', () => {
  assert.equal(noteOf({ ...live, proven: false, isNew: true }), 'v live: acknowledged by 3 of 4');
  assert.equal(noteOf({ type: 'superseded', version }), 'v superseded');
  assert.equal(
    noteOf({ type: 'closed', version: versionOf('w'), outcome: 'live', isNew: false }),
    'w live: acknowledged by 3 of 4',
  );
  const refused = 'v rolled_back\nf.yaml:3:5: Envoy edge-1 refused it: no';
  assert.equal(noteOf({ type: 'rolled_back', version, cause: { type: 'refused', ...refusal }, counts }), refused);
  assert.equal(noteOf({ type: 'still_pinned', version, cause: { type: 'refused', ...refusal } }), refused);
  const diagnostic = { code: 'held', message: 'held: it shrinks', file: 'f', line: 1, column: 1, hint: null } as const;
  assert.equal(
    noteOf({ type: 'held', version, reason: 'it shrinks', diagnostics: [diagnostic] }),
    'v held\nf:1:1: held: it shrinks',
  );
});

test('how a push goes is reported of the head alone', () => {
  const pushes: Fact[] = [
    { type: 'offered', version, push: 1, counts, wave: null },
    { type: 'settled', version, push: 1, ms: 5, counts },
    { ...live, proven: true, isNew: false },
  ];
  assert.deepEqual(
    pushes.map((fact) => noteOf(fact)),
    ['v pending', 'v pending', 'v pending'],
  );
  for (const newest of [null, { ...head, version: versionOf('w') }])
    for (const fact of pushes) assert.equal(noteOf(fact, newest), null);
  assert.equal(noteOf({ ...live, proven: false, isNew: false }), null, 'nothing is new');
});

test('a gradual rollout is reported wave by wave, of the head alone', () => {
  const wave = { strategy: 'careful', wave: 2, waves: 4, nodes: 1, customers: null };
  const waits = { type: 'wave_waits', version, detail: null, until: null, wave } as const;
  const facts: [Fact, string][] = [
    [{ type: 'offered', version, push: 1, counts, wave }, 'wave 2 of 4: 1 of 4 nodes'],
    [
      { type: 'offered', version, push: 1, counts, wave: { ...wave, customers: { percent: 10, named: 0 } } },
      'wave 2 of 4: 1 of 4 nodes, 10 % of the customers',
    ],
    [{ type: 'baking', version, until: 9, ms: 180_000, wave, counts }, 'wave 2 of 4: 1 of 4 nodes, baking 3 min'],
    [{ type: 'baking', version, until: 9, ms: 0, wave, counts }, 'wave 2 of 4: 1 of 4 nodes, its checks do not pass'],
    [{ ...waits, reason: 'promotion' }, 'wave 2 of 4 waits for an operator: shardplane promote'],
    [
      { ...waits, reason: 'freeze', detail: 'weekend', until: 0 },
      'wave 2 of 4 waits for the end of a freeze (weekend), 1970-01-01T00:00:00Z',
    ],
    [{ type: 'paused', version, reason: 'operator', by: 'ann', why: 'p99' }, 'paused by ann: p99'],
    [{ type: 'resumed', version, by: 'ann', why: '' }, 'resumed by ann'],
  ];
  for (const [fact, progress] of facts) {
    assert.equal(noteOf(fact), `v rolling out: ${progress}`);
    assert.deepEqual(toCommitStatus(toReport(fact, head, () => counts)!), {
      ...{ version, state: 'pending', description: `rolling out: ${progress}` },
    });
    assert.equal(noteOf(fact, { ...head, version: versionOf('w') }), null);
  }
  assert.equal(
    noteOf({ type: 'settled', version, push: 1, ms: 5, counts, wave }),
    null,
    'it would say that all have it',
  );
});

test('what is about no file names none', () => {
  const cause = { type: 'check', name: 'errors', message: '9 % of 100' } as const;
  const fact: Fact = { type: 'rolled_back', version, cause, counts };
  assert.equal(noteOf(fact), 'v rolled_back\nthe check "errors" failed: 9 % of 100');
  const report = toReport(fact, head, () => counts)!;
  assert.equal(toCommitStatus(report).description, 'rolled back; the check "errors" failed: 9 % of 100');
  assert.match(
    drawDiagnostic(report.diagnostics[0]!, 'a: 1', { color: false }),
    /^error: the check "errors" failed: 9 % of 100 \[check-failed\]\n {2}hint: /,
  );
});

test('the rest is nobody’s outcome', () => {
  const facts: Fact[] = [
    { type: 'refused', version, refusal },
    { type: 'unanswered', version, node: 'n' },
    { type: 'nothing_live' },
    { type: 'nothing_found' },
    { type: 'muted', node: 'n', by: 'ops' },
    { type: 'accepted', version, by: 'ops' },
  ];
  for (const fact of facts) assert.equal(noteOf(fact), null);
});
