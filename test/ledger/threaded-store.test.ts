import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import type { Version } from '../../src/ids.ts';
import { LedgerError } from '../../src/ledger/ledger-error.ts';
import type { StoredRelease } from '../../src/ledger/store.ts';
import { ThreadedStore } from '../../src/ledger/threaded-store.ts';
import { until } from '../helpers/until.ts';
import type { Memory } from '../../src/state/memory.ts';
import { live, offered, seen, sha, stored, temporary } from './support.ts';

function memoryOf(version: Version): Memory {
  const rollout = {
    live: { version, since: 0, proven: true },
    candidate: null,
    pins: [],
    muted: [],
    pushes: 1,
  } as const;
  return {
    revisions: { taken: null, head: null, accepted: [], contents: [] },
    rollout: { ...rollout, members: [], settled: null },
  };
}

function open(t: test.TestContext, directory = temporary(t)) {
  const notices: string[] = [];
  const store = new ThreadedStore({ directory, notice: (text) => notices.push(text) });
  t.after(() => store.close());
  return { store, directory, notices };
}

const at = 1_000;
const batchOf = (number: number, releases: readonly StoredRelease[]) => ({
  facts: [seen(number), offered(number), live(number)].map((fact) => ({ at, fact })),
  memory: memoryOf(sha(number)),
  releases,
});

test('what is committed in the thread is there for the next process, bytes and all, though they are sent once', async (t) => {
  const { store, directory } = open(t);
  assert.deepEqual(await store.load(), { memory: null, releases: [], open: [] });
  const release = stored(1);
  await store.commit(batchOf(1, [release]));
  await store.commit({ ...batchOf(1, [release]), facts: [] });
  assert.deepEqual(await store.outcomes([sha(1)]), new Map([[sha(1), 'live']]));
  assert.equal((await store.history({ limit: 5 })).length, 1);
  const story = await store.story(sha(1));
  assert.ok(story !== null && story !== 'ambiguous');
  await store.close();
  const after = await open(t, directory).store.load();
  assert.deepEqual(after.memory, memoryOf(sha(1)));
  assert.deepEqual(Buffer.from(after.releases[0]!.resource), Buffer.from(release.resource));
  assert.deepEqual(after.releases[0]!.release, release.release);
});

test('a ledger that another process has locked ends the start, in words', async (t) => {
  const { store, directory } = open(t);
  await store.load();
  await assert.rejects(open(t, directory).store.load(), (error) => {
    assert.ok(error instanceof LedgerError);
    assert.equal(error.code, 'ledger-locked');
    assert.match(error.hint, /--state/);
    return true;
  });
});

test('what keeps it from being written comes with the operator’s words, and is over when it is', async (t) => {
  const { store, directory } = open(t, path.join(temporary(t), 'state'));
  mkdirSync(path.dirname(directory), { recursive: true });
  writeFileSync(directory, 'a file where the directory belongs');
  await assert.rejects(store.commit(batchOf(1, [stored(1)])), /^Error: the ledger in .* can't be written: /);
  rmSync(directory);
  await store.commit(batchOf(1, [stored(1)]));
  assert.equal((await store.load()).releases.length, 1, 'what was sent before is not lost');
});

test('a damaged file is told of', async (t) => {
  const { store, directory, notices } = open(t);
  writeFileSync(path.join(directory, 'ledger.sqlite'), 'no database at all, and long enough to be looked at as one');
  await store.load();
  assert.match(notices.join(), /ledger\.sqlite\.corrupt-/);
});

test('while a call is overdue no other is queued; once the thread has answered it goes on', async (t) => {
  // Starting the thread alone takes longer than this.
  const store = new ThreadedStore({ directory: temporary(t) }, 30);
  t.after(() => store.close());
  const late = /^Error: the ledger in .* has not answered for 0.03 s: check its disk/;
  await assert.rejects(store.load(), late);
  await assert.rejects(store.commit(batchOf(2, [stored(2)])), late);
  await until('a commit', () =>
    store.commit(batchOf(1, [stored(1)])).then(
      () => true,
      () => false,
    ),
  );
  const history = await until('what it wrote', () => store.history({ limit: 9 }).catch(() => null));
  assert.deepEqual(
    history.map(({ version }) => version),
    [sha(1)],
    'the other was never sent',
  );
});

test('an idle thread keeps no process alive', () => {
  const script = `const { ThreadedStore } = await import(${JSON.stringify(new URL('../../src/ledger/threaded-store.ts', import.meta.url).href)});
    const store = new ThreadedStore({ directory: process.argv[1] });
    await store.load();
    console.log('loaded');`;
  const directory = path.join('/tmp', `shardplane-idle-${process.pid}`);
  try {
    const args = ['--input-type=module', '-e', script, directory];
    assert.equal(execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 }), 'loaded\n');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
