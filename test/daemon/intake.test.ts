import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Diagnostic } from '../../src/config/diagnostic.ts';
import { compileSchema } from '../../src/config/schema.ts';
import { evaluate } from '../../src/daemon/evaluate.ts';
import { Intake } from '../../src/daemon/intake.ts';
import type { IntakeOptions } from '../../src/daemon/intake.ts';
import type { Revision } from '../../src/git/revision.ts';
import { Judge } from '../../src/judge/judge.ts';
import type { Release } from '../../src/release/release.ts';

const good = 'shuffle_sharding: {total_hosts: 8, default_shard_size: 2}\n';
const small = 'shuffle_sharding: {total_hosts: 2, default_shard_size: 2}\n';
const judge = new Judge({ file: 'f.yaml', validate: compileSchema(null) });

function revision(version: string, text: string, trailers: [string, string][] = []): Revision {
  const content = { bytes: Buffer.from(text) };
  return {
    version,
    subject: version,
    author: 'A',
    committedAt: '2026-01-01T00:00:00Z',
    trailers: new Map(trailers),
    content,
  };
}

const live: Release = { version: 'live', subject: '', fields: new Map([['shuffle_sharding.total_hosts', 8]]) };

function intakeOf(options: Partial<IntakeOptions> = {}): Intake {
  const settings = {
    file: 'f.yaml',
    guard: { customers: 0.5, hosts: 0.5 },
    verify: { mode: 'none' as const, gpgKeyring: null, sshAllowedSigners: null },
  };
  return new Intake({
    settings,
    evaluate: (each) => evaluate(each, { judge, ledger: { story: () => null } }),
    verify: () => Promise.resolve(null),
    live: () => live,
    isAccepted: () => false,
    wasLive: () => false,
    ...options,
  });
}

test('a shrinking commit is held, unless a trailer or an operator accepts it', async () => {
  const accepted = intakeOf({ isAccepted: (version) => version === 'b' });
  assert.deepEqual((await intakeOf().judge(revision('a', small))).outcome, 'held');
  assert.deepEqual((await accepted.judge(revision('b', small))).outcome, 'candidate');
  const trailer = revision('c', small, [['shardplane-accept', 'Yes']]);
  assert.deepEqual((await intakeOf().judge(trailer)).outcome, 'candidate');
});

test('head: what would be served must be signed; all: what others have overtaken too', async () => {
  const fault: Diagnostic = {
    code: 'signature-missing',
    message: 'unsigned',
    file: 'f',
    line: 1,
    column: 1,
    hint: null,
  };
  const verify = ({ version }: Revision) => Promise.resolve(version.startsWith('signed') ? null : fault);
  const settings = (mode: 'head' | 'all') => ({
    file: 'f',
    guard: { customers: 1, hosts: 1 },
    verify: { mode, gpgKeyring: null, sshAllowedSigners: null },
  });
  const outcomes = async (mode: 'head' | 'all', version: string) => {
    const intake = intakeOf({ settings: settings(mode), verify });
    const [newest, older] = [
      await intake.judge(revision(version, good)),
      await intake.judgeOvertaken(revision(version, good)),
    ];
    return [newest.outcome, older.outcome];
  };
  assert.deepEqual(await outcomes('head', 'signed'), ['candidate', 'superseded']);
  assert.deepEqual(await outcomes('head', 'plain'), ['invalid', 'superseded']);
  assert.deepEqual(await outcomes('all', 'signed'), ['candidate', 'superseded']);
  assert.deepEqual(await outcomes('all', 'plain'), ['invalid', 'invalid']);
});

test('content that was live before is let through, however much smaller it is', async () => {
  const intake = intakeOf({ wasLive: ({ fields }) => fields.get('shuffle_sharding.total_hosts') === 2 });
  assert.equal((await intake.judge(revision('a', small))).outcome, 'candidate');
  const smaller = small.replace('total_hosts: 2', 'total_hosts: 3');
  assert.equal((await intake.judge(revision('b', smaller))).outcome, 'held');
});

test('what git could not give is invalid, with git’s reason', async () => {
  const fault: Diagnostic = {
    code: 'file-not-regular',
    message: 'a symbolic link',
    file: 'f',
    line: 1,
    column: 1,
    hint: null,
  };
  const verdict = await intakeOf().judge({ ...revision('a', ''), content: { fault } });
  assert.deepEqual(verdict.outcome === 'invalid' && verdict.diagnostics, [fault]);
});
