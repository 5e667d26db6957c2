import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import test from 'node:test';
import { createRandom } from '../helpers/random.ts';
import { Book, resource, sha, storyLength, temporary } from './support.ts';
import { isRetried, liveAfter } from './turns.ts';

const writer = path.join(import.meta.dirname, 'children', 'writer.ts');
/** `LEDGER_KILLS=200 node --test test/ledger/kill.test.ts` is the long run. */
const kills = Number(process.env.LEDGER_KILLS ?? 50);

/** Lets the writer record, kills it at some moment, and returns the last turn that it called done (0: none). */
async function writeAndKill(directory: string, afterTurns: number, afterMs: number): Promise<number> {
  const child = spawn(process.execPath, [writer, directory], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (output.split('\n').length > afterTurns) setTimeout(() => child.kill('SIGKILL'), afterMs);
  });
  await once(child, 'close');
  assert.equal(child.signalCode, 'SIGKILL', errors);
  return Number(output.split('\n').at(-2) ?? 0);
}

/** The ledger opens, holds each turn whole or not at all, and contradicts nothing that was called done. Returns the last turn in it. */
async function inspect(directory: string, done: number): Promise<number> {
  const book = new Book({ directory });
  try {
    const loaded = await book.load();
    assert.deepEqual(book.notices, []);
    assert.deepEqual(book.journal.health, { ok: true });
    const { revisions, rollout } = book.memory;
    const { pushes } = rollout;
    assert.ok(pushes === done || pushes === done + 1, `turn ${done} was done, the ledger ends with ${pushes}`);
    if (pushes === 0) return 0;
    assert.equal(revisions.head?.version, sha(pushes));
    assert.equal(book.live, sha(liveAfter(pushes)));
    assert.equal(rollout.live?.proven, true);
    const live = loaded?.releases.find(({ release }) => release.version === book.live);
    assert.deepEqual(live && Buffer.from(live.resource), resource(liveAfter(pushes)));
    for (let n = 3; n <= pushes; n += 3) assert.equal(book.pins.includes(sha(n)), !isRetried(n), `pin of ${n}`);
    const story = await book.story(pushes);
    assert.equal(story.events.length, storyLength + Number(isRetried(pushes)));
    return pushes;
  } finally {
    await book.journal.close();
  }
}

test(
  `${kills} times kill -9 while it writes: it opens, and holds all that was called done`,
  { timeout: 600_000 },
  async (t) => {
    const directory = temporary(t);
    const random = createRandom();
    t.diagnostic(`SHARDPLANE_SEED=${random.seed} has the same moments again`);
    let done = 0;
    for (let kill = 0; kill < kills; kill += 1) {
      // The moments are spread over a turn's milliseconds, and over the first turns after an opening.
      const last = await writeAndKill(directory, kill % 5, random.next() * 4);
      done = await inspect(directory, Math.max(done, last));
    }
    assert.ok(done > kills);
  },
);
