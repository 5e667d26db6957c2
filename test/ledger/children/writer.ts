/**
 * Records turns as quickly as it can, and prints the number of each that is on disk, until it is killed.
 *   node writer.ts DIRECTORY
 */
import { writeSync } from 'node:fs';
import { Book } from '../support.ts';
import { turn } from '../turns.ts';

const [directory = ''] = process.argv.slice(2);
const book = new Book({ directory, retention: { ageMs: Infinity, revisions: 2000, releases: 3 } });
await book.load();
for (let n = book.memory.rollout.pushes + 1; ; n += 1) {
  await book.record(...turn(n));
  const { health } = book.journal;
  if (!health.ok) throw new Error(health.reason);
  writeSync(1, `${n}\n`);
}
