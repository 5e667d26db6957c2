import { allAtOnce } from '../../src/rollout/plan.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { compileSchema } from '../../src/config/schema.ts';
import { Controller } from '../../src/daemon/controller.ts';
import { createSource, Follow } from '../../src/daemon/follow.ts';
import type { FollowOptions } from '../../src/daemon/follow.ts';
import { Inbox } from '../../src/daemon/inbox.ts';
import type { Judged } from '../../src/daemon/intake.ts';
import { Judging } from '../../src/daemon/judging.ts';
import { Problems } from '../../src/daemon/problems.ts';
import { Waiters } from '../../src/daemon/waiters.ts';
import { GitError } from '../../src/git/exec/git-error.ts';
import type { SourceEvent } from '../../src/git/follow/source.ts';
import type { Revision } from '../../src/git/read/revision.ts';
import { Judge } from '../../src/judge/judge.ts';
import { short } from '../../src/release/short.ts';
import type { Standing } from '../../src/revisions/types.ts';
import { Secrets } from '../../src/secrets.ts';
import { createState } from '../../src/state/state.ts';
import type { Event } from '../../src/state/step.ts';
import { makeRepository } from '../helpers/git.ts';
import { until } from '../helpers/until.ts';

const file = 'shard-config.yaml';

/** A real repository, and a fleet that takes each release at once. `judge` says what becomes of a subject; default: valid. */
async function startScene(judge: (subject: string, standing: Standing) => unknown = () => undefined) {
  const stack = new AsyncDisposableStack();
  const repository = stack.use(await makeRepository());
  const released: string[] = [];
  const facts: string[] = [];
  const subjects = new Map<string, string>();
  const said: string[] = [];
  const problems = new Problems({
    now: Date.now,
    onChange: (change, { code, message }) => void said.push(`${change} ${code}: ${message}`),
    redact: (text) => text,
  });
  const settings = {
    ...{ path: repository.path, ref: 'main', file, onRewrite: 'hold', pollMs: 60_000, remote: null },
    verify: { mode: 'none', gpgKeyring: null, sshAllowedSigners: null },
  } as FollowOptions['settings'];
  const state = createState({
    revisions: { ref: 'main', file, isVerified: false },
    rollout: { ackTimeoutMs: 30_000, quorum: 0.5, voteAfterMs: 0 },
    ...{ memory: null, open: [], now: 0 },
  });
  const inbox = new Inbox<Event>();
  const moves = new Inbox<SourceEvent, Promise<void>>();
  const waiters = new Waiters();
  const source = createSource({
    ...{ settings, stateDirectory: repository.path, secrets: new Secrets(), since: null, onEvent: moves.put },
    known: () => Promise.resolve(new Map()),
  });
  const intake = {
    judge: async ({ version, subject }: Revision, standing: Standing): Promise<Judged> => {
      subjects.set(version, subject);
      await judge(subject, standing);
      return { verdict: { valid: true, shrink: null, digest: null, plan: allAtOnce }, source: null, compiled: null };
    },
  };
  const judging = new Judging({
    ...{ source, intake, problems, put: inbox.put, onJudged: () => undefined, onStuck: waiters.wake },
  });
  const follow = new Follow({
    ...{
      settings,
      log: pino({ level: 'silent' }),
      judge: new Judge({ file, validate: compileSchema(null) }),
      problems,
    },
    ...{ source, judging, waiters, state: state.revisions, onNewest: () => undefined, put: inbox.put },
  });
  moves.open(follow.onEvent);
  const controller = new Controller({
    ...{ state, now: Date.now, onStepped: waiters.wake },
    carryOut: (effect) => {
      if (effect.type === 'judge' || effect.type === 'list') judging.begin(effect);
      if (effect.type === 'offer') released.push(subjects.get(effect.version ?? '') ?? '');
    },
    record: (all) => facts.push(...all.map(({ type }) => type)),
  });
  inbox.open((event) => controller.apply(event));
  stack.defer(() => controller.close());
  stack.defer(() => follow.close());
  let commits = 0;
  const commit = (subject: string): Promise<string> => repository.commit({ [file]: `n: ${commits++}\n` }, subject);
  return { follow, commit, released, facts, said, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const noGpg = (): never => {
  throw new GitError('bad-setting', 'gpg could not be started');
};

test('a judgement that fails once is made again, and nothing is said of it', async () => {
  let failures = 0;
  await using scene = await startScene(() => (failures++ === 0 ? noGpg() : undefined));
  await scene.commit('one');
  await scene.follow.start(() => false);
  assert.deepEqual(scene.released, ['one']);
  assert.equal(failures, 2);
  assert.deepEqual(scene.said, []);
  assert.equal(scene.follow.head?.outcome, 'live');
});

test('one that fails on is a problem, holds up nobody, and nothing that is newer', async () => {
  let isMended = false;
  await using scene = await startScene((subject) => (subject === 'bad' && !isMended ? noGpg() : undefined));
  const { follow, commit, released, said } = scene;
  const version = await commit('bad');
  await follow.start(() => false);
  await follow.check();
  assert.equal(follow.head?.version, version);
  assert.equal(follow.head.outcome, null);
  const problem = `backlog: commit ${short(version)} can't be judged: gpg could not be started`;
  assert.deepEqual(said, [`begins ${problem}`]);
  assert.deepEqual(released, []);

  await commit('good');
  await follow.check();
  assert.deepEqual(released, ['good']);
  isMended = true;
  await commit('better');
  await follow.check();
  await until('all are judged', () => follow.waiting === 0);
  assert.deepEqual(released, ['good', 'better']);
  assert.equal(said.at(-1), `ends ${problem}`);
});

test('closed while it judges, it waits for that, and nothing follows from it', async () => {
  const judging = Promise.withResolvers<null>();
  const begun = Promise.withResolvers<null>();
  await using scene = await startScene(() => {
    begun.resolve(null);
    return judging.promise;
  });
  const { follow, commit, released, facts } = scene;
  await commit('one');
  const started = follow.start(() => false);
  await begun.promise;
  let isClosed = false;
  const closed = follow.close().then(() => (isClosed = true));
  await started;
  await new Promise(setImmediate);
  assert.equal(isClosed, false);
  judging.resolve(null);
  await closed;
  assert.deepEqual(released, []);
  assert.deepEqual(facts, ['seen']);
});

test('closed while it waits for another try, it ends at once', async () => {
  let tries = 0;
  await using scene = await startScene(() => {
    tries += 1;
    noGpg();
  });
  await scene.commit('one');
  await scene.follow.start(() => false);
  await scene.follow.close();
  assert.equal(tries, 2);
  assert.deepEqual(scene.released, []);
});

test('a fault of ours on one commit ends neither the process nor what comes after it', async () => {
  await using scene = await startScene((subject) => {
    if (subject === 'odd') throw new TypeError('undefined is not a function');
  });
  await scene.commit('odd');
  await scene.follow.start(() => false);
  await scene.follow.check();
  await until('it is told', () => scene.said.length > 0);
  assert.match(
    scene.said[0]!,
    /^begins backlog: commit [0-9a-f]{12} can't be judged: an internal error of shardplane \(undefined is/,
  );
  await scene.commit('good');
  await scene.follow.check();
  assert.deepEqual(scene.released, ['good']);
});
