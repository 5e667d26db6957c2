import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileSchema } from '../../src/config/schema.ts';
import { Backlog, type BacklogOptions } from '../../src/daemon/backlog.ts';
import { searchHistory, type History } from '../../src/daemon/look-back.ts';
import { evaluate } from '../../src/daemon/evaluate.ts';
import { Intake, type Verdict } from '../../src/daemon/intake.ts';
import { GitError } from '../../src/git/error.ts';
import type { Revision } from '../../src/git/revision.ts';
import { Judge } from '../../src/judge/judge.ts';
import type { Release } from '../../src/release/release.ts';
import { until } from '../helpers/until.ts';

const texts = {
  good: 'shuffle_sharding: {total_hosts: 8, default_shard_size: 2}\n',
  bad: 'shuffle_sharding: {total_hosts: 8, default_shard_size: 20}\n',
  small: 'shuffle_sharding: {total_hosts: 2, default_shard_size: 2}\n',
};
const judge = new Judge({ file: 'f.yaml', validate: compileSchema(null) });
const live: Release = { version: 'live', subject: '', fields: new Map([['shuffle_sharding.total_hosts', 8]]) };

/** A version tells what it holds: `bad-3`. */
function revision(version: string): Revision {
  const text = texts[version.split('-')[0] as keyof typeof texts];
  const commit = { version, subject: version, author: 'A', committedAt: '2026-01-01T00:00:00Z', trailers: new Map() };
  return { ...commit, content: { bytes: Buffer.from(text) } };
}

interface Scene extends AsyncDisposable {
  readonly backlog: Backlog;
  readonly intake: Intake;
  readonly said: string[];
  /** What was read, page by page. */
  readonly reads: (readonly string[])[];
  /** A move, newest first, as `Follow` takes it. */
  take(...versions: string[]): Promise<void>;
  idle(): Promise<void>;
}

function sceneOf(options: Partial<BacklogOptions> = {}): Scene {
  const said: string[] = [];
  const reads: (readonly string[])[] = [];
  let [target, isIdle] = ['live', true];
  const final = new Set<string>();
  const report = ({ revision: { version }, outcome }: Verdict): void => {
    said.push(`${version} ${outcome}`);
    if (outcome === 'candidate') target = version;
    else if (outcome !== 'held') final.add(version);
  };
  const intake = new Intake({
    settings: {
      file: 'f.yaml',
      guard: { customers: 0.5, hosts: 0.5 },
      verify: { mode: 'none', gpgKeyring: null, sshAllowedSigners: null },
    },
    evaluate: (each) => evaluate(each, { judge, ledger: { story: () => null } }),
    verify: () => Promise.resolve(null),
    live: () => live,
    isAccepted: () => false,
    wasLive: () => false,
  });
  const backlog = new Backlog({
    judge: (older) => intake.judge(older),
    judgeOvertaken: (older) => intake.judgeOvertaken(older),
    read: (versions) => {
      reads.push(versions);
      return Promise.resolve(versions.map(revision));
    },
    decided: (versions) => new Set(versions.filter((version) => final.has(version))),
    isPinned: (version) => version.includes('pinned'),
    isInUse: (version) => version === target,
    inTurn: (work) => work(),
    report,
    onIdle: () => (isIdle = true),
    onTrouble: () => undefined,
    ...options,
  });
  const take = async (...[newest = '', ...older]: string[]): Promise<void> => {
    const verdict = await intake.judge(revision(newest));
    report(verdict);
    isIdle = false;
    const isWanted = verdict.outcome !== 'candidate';
    if (!isWanted) backlog.onOffered();
    backlog.add(older, { isWanted, place: { tip: newest, newest: null, previous: null } });
    isIdle = backlog.isEmpty;
  };
  const idle = async (): Promise<void> => {
    await until('nothing is left', () => isIdle);
  };
  return { backlog, intake, said, reads, take, idle, [Symbol.asyncDispose]: () => backlog.close() };
}

const table: [string, string[], string[]][] = [
  [
    'a burst: the newest is rolled out first, then each of the others gets its outcome',
    ['good-c', 'bad-b', 'good-a'],
    ['good-c candidate', 'bad-b invalid', 'good-a superseded'],
  ],
  [
    'the newest is invalid: the newest valid one of the burst is rolled out',
    ['bad-c', 'good-b', 'good-a'],
    ['bad-c invalid', 'good-b candidate', 'good-a superseded'],
  ],
  [
    'a burst that shrinks: the newest is held, and those before it can no longer be accepted',
    ['small-c', 'small-b', 'good-a'],
    ['small-c held', 'small-b superseded', 'good-a candidate'],
  ],
  [
    'what an Envoy has refused is not what is looked for',
    ['bad-d', 'good-pinned', 'good-b', 'bad-a'],
    ['bad-d invalid', 'good-pinned candidate', 'good-b candidate', 'bad-a invalid'],
  ],
  ['nothing good in it: what is live stays', ['bad-b', 'bad-a'], ['bad-b invalid', 'bad-a invalid']],
];
for (const [name, versions, said] of table)
  test(name, async () => {
    await using scene = sceneOf();
    await scene.take(...versions);
    await scene.idle();
    assert.deepEqual(scene.said, said);
  });

test('more than is read at once: the good one is found, and each gets its outcome once', async () => {
  await using scene = sceneOf();
  const older = Array.from({ length: 1_250 }, (_, at) => `${at === 30 ? 'good' : 'bad'}-${1_250 - at}`);
  await scene.take('bad-newest', ...older);
  await scene.idle();
  assert.equal(scene.said[31], 'good-1220 candidate');
  assert.equal(scene.said.length, 1_251);
  assert.deepEqual(new Set(scene.said.map((each) => each.split(' ')[0])), new Set(['bad-newest', ...older]));
  assert.ok(scene.reads.every(({ length }) => length <= 500));
});

test('a newer move goes before what is still being judged, and overtakes what was still looked for', async () => {
  await using scene = sceneOf();
  await scene.take('good-1', ...Array.from({ length: 100 }, (_, at) => `bad-old${at}`));
  await until('some are judged', () => scene.said.length > 1);
  const before = scene.said.length;
  await scene.take('good-2', 'bad-new');
  assert.equal(scene.said[before], 'good-2 candidate');
  await scene.idle();
  // `good-1` is the fleet's to tell of
  assert.equal(scene.said.length, 103);
  const wanting = sceneOf();
  await wanting.take('bad-3', 'bad-2', 'good-1');
  await wanting.take('good-4');
  await wanting.idle();
  assert.deepEqual(wanting.said, ['bad-3 invalid', 'good-4 candidate', 'bad-2 invalid', 'good-1 superseded']);
});

test('nothing good in a newer move: what was looked for before is looked for still', async () => {
  await using scene = sceneOf();
  await scene.take('bad-2', 'good-1');
  await scene.take('bad-4', 'bad-3');
  await scene.idle();
  assert.deepEqual(scene.said, ['bad-2 invalid', 'bad-4 invalid', 'bad-3 invalid', 'good-1 candidate']);
});

test('what has its outcome is neither read nor told again; what is in use is left alone', async () => {
  const known = ['good-1', 'bad-3'];
  const decided = (versions: readonly string[]) => new Set(versions.filter((version) => known.includes(version)));
  await using scene = sceneOf({ decided, isInUse: (version) => version === 'good-2' });
  await scene.take('good-5', 'good-4', 'bad-3', 'good-2', 'good-1');
  await scene.idle();
  assert.deepEqual(scene.said, ['good-5 candidate', 'good-4 superseded']);
  assert.deepEqual(scene.reads, [['good-4', 'good-2']]);
});

test('a history is searched for the newest revision that may be offered, page by page, as long as there is need', async () => {
  const pages: number[] = [];
  const history = Array.from({ length: 45 }, (_, at) => revision(`${at === 30 ? 'good' : 'bad'}-${at}`));
  const older: History['older'] = (_tip, { skip, limit }) => {
    pages.push(skip);
    return Promise.resolve(history.slice(skip, skip + limit));
  };
  const offered: string[] = [];
  const offer = ({ version }: Revision): Promise<boolean> => {
    offered.push(version);
    return Promise.resolve(version.startsWith('good'));
  };
  assert.equal(await searchHistory('tip', { older, offer, isNeeded: () => true }), true);
  assert.deepEqual([pages.splice(0), offered.splice(0).length], [[0, 20], 31]);
  const isNone = await searchHistory('tip', { older, offer: () => Promise.resolve(false), isNeeded: () => true });
  assert.deepEqual([isNone, pages.splice(0)], [false, [0, 20, 40]]);
  assert.equal(await searchHistory('tip', { older, offer, isNeeded: () => false }), true);
  assert.deepEqual([pages, offered], [[], []]);
});

test('what can’t be read is read again, and is a problem when that fails too', async () => {
  let failures = 3;
  const troubles: (string | null)[] = [];
  const read: BacklogOptions['read'] = (versions) => {
    if (failures-- > 0) return Promise.reject(new GitError('git-failed', 'no'));
    return Promise.resolve(versions.map(revision));
  };
  await using scene = sceneOf({ read, onTrouble: (error) => troubles.push(error?.message ?? null), retryMs: [1, 1] });
  await scene.take('good-2', 'good-1');
  await scene.idle();
  assert.deepEqual(scene.said, ['good-2 candidate', 'good-1 superseded']);
  assert.deepEqual(troubles, ['no', 'no', null]);
});
