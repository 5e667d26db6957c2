import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toNote, toReport } from '../../src/daemon/report.ts';
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
