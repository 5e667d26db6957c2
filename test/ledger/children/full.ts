/**
 * Writes to a ledger until that fails, makes room, and writes again; prints what `health` and `restore` say in each state.
 *   node full.ts DIRECTORY space|limit
 */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { openLedger } from '../../../src/ledger/ledger.ts';
import { failure, manualClock, release, sha, success } from '../support.ts';

const [directory = '', cause] = process.argv.slice(2);
const ballast = path.join(directory, 'ballast');
const clock = manualClock();
const ledger = openLedger({ directory, clock: clock.read });
const seen: object[] = [];

function look(): void {
  const { live, pins } = ledger.restore();
  seen.push({
    health: ledger.health,
    live: live?.version,
    pins: [...pins.keys()],
    history: ledger.history({ limit: 1000 }).length,
  });
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

/** A release of 600 kB. */
function big(n: number) {
  const entry = release(n);
  return entry.type === 'release' ? { ...entry, resource: Buffer.alloc(600_000, n) } : entry;
}

ledger.recordAll(success(1));
look();
if (cause === 'space') fill();
ledger.recordAll([...success(2), big(2)]);
ledger.recordAll(failure(3));
look();
if (cause === 'space') rmSync(ballast);
else spawnSync('prlimit', ['--pid', String(process.pid), '--fsize=unlimited:'], { stdio: 'inherit' });
clock.now += 60_000;
ledger.recordAll(success(4));
look();
ledger.close();
if (cause === 'space') fill();
const again = openLedger({ directory });
const { live, pins, releases } = again.restore();
seen.push({ live: live?.version, pins: [...pins.keys()], bytes: releases.size, story: again.story(sha(3)) });
again.close();
console.log(JSON.stringify(seen));
