/**
 * Records turns as quickly as it can, and prints the number of each that is on disk, until it is killed.
 *   node writer.ts DIRECTORY
 */
import { writeSync } from 'node:fs';
import { openLedger } from '../../../src/ledger/ledger.ts';
import { turn } from '../turns.ts';

const [directory = ''] = process.argv.slice(2);
const ledger = openLedger({ directory, retention: { ageMs: Infinity, revisions: 2000, releases: 3 } });
for (let n = ledger.restore().seq + 1; ; n += 1) {
  ledger.recordAll(turn(n));
  if (!ledger.health.ok) throw new Error(ledger.health.reason);
  writeSync(1, `${n}\n`);
}
