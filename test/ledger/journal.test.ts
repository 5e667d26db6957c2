import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import test from 'node:test';
import { LedgerError } from '../../src/ledger/ledger-error.ts';
import { Journal } from '../../src/ledger/journal.ts';
import type { JournalHealth } from '../../src/ledger/journal-options.ts';
import { memoryStore } from '../../src/ledger/sqlite/sqlite-store.ts';
import type { Batch, Loaded, Store } from '../../src/ledger/store.ts';
import type { Memory } from '../../src/state/memory.ts';
import { until } from '../helpers/until.ts';
import { manualClock, manySeen, numberOf, offered, refusal, seen, sha, success } from './support.ts';

const memory: Memory = {
  revisions: { taken: null, head: null, accepted: [], contents: [] },
  rollout: { live: null, candidate: null, pins: [], muted: [], pushes: 0, members: [], settled: null },
};

/** A store in memory that fails, or waits, when it is told to; and a journal over it. */
function scene(t: test.TestContext) {
  const inner = memoryStore();
  const batches: Batch[] = [];
  const control = { reason: null as string | null, gate: Promise.resolve(), running: 0, mostAtOnce: 0, calls: 0 };
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    control.running += 1;
    control.calls += 1;
    control.mostAtOnce = Math.max(control.mostAtOnce, control.running);
    await control.gate;
    control.running -= 1;
    if (control.reason !== null) throw new Error(control.reason);
    return work();
  };
  const store: Store = {
    load: () => guard(() => inner.load()),
    commit: (batch) => guard(() => inner.commit(batch).then(() => void batches.push(batch))),
    history: (query) => guard(() => inner.history(query)),
    lives: (query) => guard(() => inner.lives(query)),
    story: (prefix) => guard(() => inner.story(prefix)),
    outcomes: (versions) => guard(() => inner.outcomes(versions)),
    close: () => inner.close(),
  };
  const clock = manualClock();
  const healths: JournalHealth[] = [];
  const late: Loaded[] = [];
  const current = { memory };
  const journal = new Journal({ store, now: clock.read });
  journal.begin({
    state: () => ({ memory: current.memory, releases: [] }),
    onHealth: (health) => healths.push(health),
    onLateLoad: (loaded) => late.push(loaded),
  });
  t.after(() => journal.close());
  return { journal, batches, control, clock, healths, late, current, inner };
}

const numbers = (batches: readonly Batch[]): number[][] =>
  batches.map(({ facts }) =>
    facts.map(({ fact }) => (fact.type === 'seen' ? numberOf(fact.revision.version) : Number.NaN)),
  );

test('the facts of one turn are one commit at its end, with the state after them', async (t) => {
  const { journal, batches, current } = scene(t);
  await journal.load();
  journal.add([seen(1)]);
  journal.add([seen(2), seen(3)]);
  current.memory = { ...memory, revisions: { ...memory.revisions, taken: sha(3) } };
  assert.equal(batches.length, 0, 'pushing does not wait for it');
  await until('a commit', () => batches.length > 0);
  assert.deepEqual(numbers(batches), [[1, 2, 3]]);
  assert.equal(batches[0]?.memory.revisions.taken, sha(3));
});

test('a state that has changed without a fact is written, and what has not changed is not', async (t) => {
  const { journal, batches } = scene(t);
  await journal.load();
  await journal.flush();
  assert.equal(batches.length, 1, 'the first try says whether it can be written');
  await journal.flush();
  assert.equal(batches.length, 1);
  journal.add([]);
  await until('a second commit', () => batches.length > 1);
  assert.deepEqual(numbers(batches), [[], []]);
});

test('writes follow each other, never two at once', async (t) => {
  const { journal, batches, control } = scene(t);
  await journal.load();
  let open = (): void => undefined;
  control.gate = new Promise((resolve) => (open = resolve));
  control.mostAtOnce = 0;
  journal.add([seen(1)]);
  const first = journal.flush();
  await turn();
  journal.add([seen(2)]);
  const second = journal.flush();
  journal.add([seen(3)]);
  await turn();
  open();
  await Promise.all([first, second, journal.flush()]);
  assert.deepEqual(numbers(batches).flat(), [1, 2, 3]);
  assert.equal(control.mostAtOnce, 1);
});

test('questions come after what was added', async (t) => {
  const { journal } = scene(t);
  await journal.load();
  journal.add(success(1));
  assert.equal((await journal.history({ limit: 9 })).length, 1);
  journal.add([{ type: 'superseded', version: sha(2) }]);
  assert.deepEqual(
    await journal.outcomes([sha(1), sha(2)]),
    new Map([
      [sha(1), 'live'],
      [sha(2), 'superseded'],
    ]),
  );
});

test('while it can not be written, it is said once, it answers from memory, and it is tried again by itself', async (t) => {
  const { journal, batches, control, clock, healths } = scene(t);
  await journal.load();
  await journal.flush();
  assert.deepEqual(healths, [{ ok: true }]);
  control.reason = 'the disk is full';
  for (const fact of success(1)) {
    journal.add([fact]);
    await journal.flush();
  }
  const since = clock.now;
  assert.deepEqual(healths.slice(1), [{ ok: false, reason: 'the disk is full', since, waiting: 1, lost: 0 }]);
  assert.deepEqual(journal.health, { ok: false, reason: 'the disk is full', since, waiting: 4, lost: 0 });
  const story = await journal.story(sha(1));
  assert.ok(story !== null && story !== 'ambiguous');
  assert.equal(story.revision.outcome, 'live');
  assert.deepEqual(await journal.outcomes([sha(1)]), new Map(), 'the store may know better');
  control.reason = 'the disk has gone';
  clock.now += 1000;
  await journal.flush();
  assert.equal(healths.length, 3, 'for another reason');
  control.reason = null;
  await until('that it is written', () => journal.health.ok);
  assert.deepEqual(healths.at(-1), { ok: true });
  assert.deepEqual(
    batches.map(({ facts }) => facts.length),
    [0, 4],
  );
});

test('what happens while a store recovers is written as soon as it has', async (t) => {
  const { journal, batches, control, clock } = scene(t);
  await journal.load();
  control.reason = 'no';
  journal.add([seen(1)]);
  await journal.flush();
  control.reason = null;
  let open = (): void => undefined;
  control.gate = new Promise((resolve) => (open = resolve));
  clock.now += 60_000;
  const written = journal.flush();
  await turn();
  journal.add([seen(2)]);
  open();
  await written;
  await until('both', () => numbers(batches).flat().length === 2, 2_000);
});

test('a failing store is tried less and less often', async (t) => {
  const { journal, control, clock } = scene(t);
  await journal.load();
  control.reason = 'no';
  const tries: number[] = [];
  for (let second = 0; second < 100; second += 1) {
    const before = control.calls;
    await journal.flush();
    if (control.calls > before) tries.push(second);
    clock.now += 1000;
  }
  assert.deepEqual(tries, [0, 1, 3, 7, 15, 31, 61, 91]);
});

test('what waits is bounded, in number and in bytes, and what is given up is counted', async (t) => {
  const { journal, batches, control, clock, healths } = scene(t);
  await journal.load();
  control.reason = 'no';
  journal.add(manySeen(12_000));
  await journal.flush();
  journal.add([seen(50_000)]);
  assert.ok(!journal.health.ok);
  assert.deepEqual([journal.health.waiting, journal.health.lost], [10_000, 2_001]);
  assert.deepEqual(
    healths.map((health) => !health.ok && health.lost),
    [2_000, 2_001],
  );

  const long = { ...refusal, message: 'x'.repeat(4096) };
  journal.add(Array.from({ length: 9_000 }, () => ({ type: 'refused', version: sha(1), refusal: long }) as const));
  assert.ok(!journal.health.ok);
  assert.ok(journal.health.waiting < 9_000, 'they weigh more than 64 MiB');
  const { waiting } = journal.health;
  control.reason = null;
  clock.now += 60_000;
  await journal.flush();
  assert.deepEqual(journal.health, { ok: true });
  assert.equal(batches.at(-1)?.facts.length, waiting);
  control.reason = 'no';
  journal.add([seen(1)]);
  await journal.flush();
  assert.deepEqual(healths.at(-1), { ok: false, reason: 'no', since: clock.now, waiting: 1, lost: 0 }, 'counted anew');
});

test('a burst is not cut while all is well', async (t) => {
  const { journal, batches } = scene(t);
  await journal.load();
  journal.add(manySeen(12_000));
  await journal.flush();
  assert.equal(batches[0]?.facts.length, 12_000);
});

test('a store that hangs holds up nothing: it is asked for a second', async (t) => {
  const { journal, control } = scene(t);
  await journal.load();
  const { promise, resolve } = Promise.withResolvers<undefined>();
  control.gate = promise.then(() => undefined);
  journal.add([seen(1)]);
  const [known] = await Promise.all([journal.outcomes([sha(1)]), journal.settled()]);
  assert.equal(known.size, 0);
  assert.equal(journal.health.ok, true, 'it may answer yet');
  resolve(undefined);
});

test('what comes while a store hangs is bounded, and what hangs is not written twice', async (t) => {
  const { journal, batches, control } = scene(t);
  await journal.load();
  let open = (): void => undefined;
  control.gate = new Promise((resolve) => (open = resolve));
  journal.add(manySeen(10));
  const flushed = journal.flush();
  await turn();
  journal.add(manySeen(9_995, 10));
  journal.add([offered(1)]);
  open();
  await flushed;
  await journal.flush();
  assert.deepEqual(
    batches.map(({ facts }) => facts.length),
    [10, 9_996],
  );
  assert.deepEqual(journal.health, { ok: true });
});

test('a store that could not be read at the start joins late, before anything is written over it', async (t) => {
  const { journal, batches, control, clock, late, healths, inner } = scene(t);
  const held: Memory = { ...memory, revisions: { ...memory.revisions, taken: sha(7) } };
  await inner.commit({ facts: [], memory: held, releases: [] });
  control.reason = 'no such directory';
  assert.equal(await journal.load(), null);
  assert.equal(healths.length, 1, 'it is said at once');
  journal.add([seen(1)]);
  await journal.flush();
  assert.deepEqual(late, []);
  control.reason = null;
  clock.now += 60_000;
  await journal.flush();
  assert.equal(late.length, 1);
  assert.deepEqual(numbers(batches), [[1]]);
});

test('a store that can not be used at all ends the start', async (t) => {
  const error = new LedgerError('ledger-locked', 'locked', 'stop it');
  const { journal } = scene(t);
  const locked = new Journal({
    store: { ...memoryStore(), load: () => Promise.reject(error) },
    ...{ now: Date.now, state: () => ({ memory, releases: [] }) },
    ...{ onHealth: () => undefined, onLateLoad: () => undefined },
  });
  await assert.rejects(locked.load(), error);
  await journal.load();
});

test('closing writes what waits, also while the next try is far off', async (t) => {
  const { journal, batches, control } = scene(t);
  await journal.load();
  control.reason = 'no';
  journal.add([seen(1)]);
  await journal.flush();
  control.reason = null;
  journal.add([seen(2)]);
  await journal.close();
  assert.deepEqual(numbers(batches), [[1, 2]]);
});
