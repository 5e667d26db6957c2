/**
 * Writes to a ledger until that fails, makes room, and writes again; prints what is known in each state.
 *   node full.ts DIRECTORY space|limit
 */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { Book, failure, manualClock, sha, stored, success } from '../support.ts';

const [directory = '', cause] = process.argv.slice(2);
const ballast = path.join(directory, 'ballast');
const clock = manualClock();
const book = new Book({ directory, clock: clock.read });
const seen: object[] = [];

async function look({ journal, live, pins }: Book): Promise<void> {
  seen.push({ health: journal.health, live, pins, history: (await journal.history({ limit: 1000 })).length });
}

/** Takes all the space there is. */
function fill(): void {
  const file = openSync(ballast, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(512));
  } catch {
    closeSync(file);
  }
}

await book.load();
await book.record(...success(1));
await look(book);
if (cause === 'space') fill();
book.releases.set(sha(2), { ...stored(2), resource: Buffer.alloc(600_000, 2) });
await book.record(...success(2));
await book.record(...failure(3));
await look(book);
if (cause === 'space') rmSync(ballast);
else spawnSync('prlimit', ['--pid', String(process.pid), '--fsize=unlimited:'], { stdio: 'inherit' });
clock.now += 60_000;
await book.record(...success(4));
await look(book);
await book.journal.close();
if (cause === 'space') fill();
const again = new Book({ directory });
const loaded = await again.load();
seen.push({
  live: again.live,
  pins: again.pins,
  bytes: loaded?.releases.length,
  story: await again.journal.story(sha(3)),
});
await again.journal.close();
console.log(JSON.stringify(seen));
