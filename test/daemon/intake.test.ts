import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Diagnostic } from '../../src/config/diagnostic.ts';
import { compileSchema } from '../../src/config/schema.ts';
import { evaluate } from '../../src/daemon/evaluate.ts';
import { Intake } from '../../src/daemon/intake.ts';
import type { IntakeOptions } from '../../src/daemon/intake.ts';
import type { Revision } from '../../src/git/revision.ts';
import type { Moved } from '../../src/git/source.ts';
import { Judge } from '../../src/judge/judge.ts';
import type { Release } from '../../src/release/release.ts';

const good = 'shuffle_sharding: {total_hosts: 8, default_shard_size: 2}\n';
const bad = 'shuffle_sharding: {total_hosts: 8, default_shard_size: 20}\n';
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

function moved(revisions: readonly Revision[], newest = revisions.at(-1) ?? null): Moved {
  return {
    type: 'moved',
    movement: 'fast-forward',
    decision: 'take',
    previous: 'p',
    tip: 't',
    revisions,
    older: [],
    newest,
  };
}

const live: Release = { version: 'live', subject: '', fields: new Map([['shuffle_sharding.total_hosts', 8]]) };

function intakeOf(options: Partial<IntakeOptions> = {}): { intake: Intake; said: string[] } {
  const said: string[] = [];
  const settings = {
    file: 'f.yaml',
    guard: { customers: 0.5, hosts: 0.5 },
    verify: { mode: 'none' as const, gpgKeyring: null, sshAllowedSigners: null },
  };
  const intake = new Intake({
    settings,
    evaluate: (each) => evaluate(each, { judge, ledger: { story: () => null } }),
    verify: () => Promise.resolve(null),
    live: () => live,
    isAccepted: () => false,
    isPinned: () => false,
    older: () => Promise.resolve([]),
    report: ({ revision, outcome }) => said.push(`${revision.version} ${outcome}`),
    ...options,
  });
  return { intake, said };
}

test('a burst: the newest is rolled out first, then each of the others gets its outcome', async () => {
  const { intake, said } = intakeOf();
  await intake.take(moved([revision('a', good), revision('b', bad), revision('c', good)]));
  assert.deepEqual(said, ['c candidate', 'b invalid', 'a superseded']);
});

test('the newest is invalid: the newest valid one of the burst is rolled out', async () => {
  const { intake, said } = intakeOf();
  await intake.take(moved([revision('a', good), revision('b', good), revision('c', bad)]));
  assert.deepEqual(said, ['c invalid', 'b candidate', 'a superseded']);
});

test('nothing good in the newest part of a long move: the newest good one of the older part is rolled out', async () => {
  const { intake, said } = intakeOf();
  const move = { ...moved([revision('e', bad)]), older: [revision('d', good)] };
  assert.equal(await intake.take(move), false);
  assert.equal(await intake.takeOlder([revision('b', good), revision('c', good), revision('d', small)]), true);
  assert.deepEqual(said, ['e invalid', 'd superseded', 'c candidate', 'b superseded']);
});

test('a burst that shrinks: the newest is held, and those before it can no longer be accepted', async () => {
  const { intake, said } = intakeOf();
  await intake.take(moved([revision('a', good), revision('b', small), revision('c', small)]));
  assert.deepEqual(said, ['c held', 'b superseded', 'a candidate']);
});

test('what was decided of the newest is written before anything older is looked at', async () => {
  const order: string[] = [];
  const { intake } = intakeOf({
    evaluate: (each) => {
      order.push(`look at ${each.version}`);
      return evaluate(each, { judge, ledger: { story: () => null } });
    },
    // as Journal does
    report: (verdict) => setImmediate(() => order.push(`write ${verdict.revision.version}`)),
  });
  await intake.take(moved([revision('a', good), revision('b', good), revision('c', good)]));
  assert.deepEqual(order, ['look at c', 'write c', 'look at b', 'write b', 'look at a']);
});

test('no new revisions: the newest one counts (a rewind)', async () => {
  const { intake, said } = intakeOf();
  await intake.take(moved([], revision('old', good)));
  assert.deepEqual(said, ['old candidate']);
});

test('nothing is served yet: the newest valid and unrefused one of the history is', async () => {
  const history = [revision('bad2', bad), revision('pinned', good), revision('good', good), revision('older', good)];
  const pages: number[] = [];
  const { intake, said } = intakeOf({
    live: () => null,
    isPinned: (version) => version === 'pinned',
    older: (_tip, { skip, limit }) => {
      pages.push(skip);
      return Promise.resolve(history.slice(skip - 1, skip - 1 + limit));
    },
  });
  await intake.take(moved([revision('bad1', bad)]));
  assert.deepEqual(said, ['bad1 invalid', 'good candidate']);
  assert.deepEqual(pages, [1]);
});

test('something is served: the history is left alone', async () => {
  const { intake, said } = intakeOf({ older: () => assert.fail('must not look back') });
  await intake.take(moved([revision('a', bad)]));
  assert.deepEqual(said, ['a invalid']);
});

test('a shrinking commit is held, unless a trailer or an operator accepts it', async () => {
  const accepted = intakeOf({ isAccepted: (version) => version === 'b' });
  assert.deepEqual((await intakeOf().intake.judge(revision('a', small))).outcome, 'held');
  assert.deepEqual((await accepted.intake.judge(revision('b', small))).outcome, 'candidate');
  const trailer = revision('c', small, [['shardplane-accept', 'Yes']]);
  assert.deepEqual((await intakeOf().intake.judge(trailer)).outcome, 'candidate');
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
  const burst = moved([revision('plain', good), revision('signed1', good), revision('signed2', good)]);
  const head = intakeOf({ settings: settings('head'), verify });
  await head.intake.take(burst);
  assert.deepEqual(head.said, ['signed2 candidate', 'signed1 superseded', 'plain superseded']);
  const all = intakeOf({ settings: settings('all'), verify });
  await all.intake.take(burst);
  assert.deepEqual(all.said, ['signed2 candidate', 'signed1 superseded', 'plain invalid']);
  const unsigned = intakeOf({ settings: settings('head'), verify });
  await unsigned.intake.take(moved([revision('signed1', good), revision('plain', good)]));
  assert.deepEqual(unsigned.said, ['plain invalid', 'signed1 candidate']);
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
  const verdict = await intakeOf().intake.judge({ ...revision('a', ''), content: { fault } });
  assert.deepEqual(verdict.outcome === 'invalid' && verdict.diagnostics, [fault]);
});
