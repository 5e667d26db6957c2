import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { sha, storyLength, temporary } from './support.ts';

const child = path.join(import.meta.dirname, 'children', 'full.ts');
const timeout = 60_000;

interface Seen {
  health: { ok: boolean; reason?: string; waiting?: number; lost?: number };
  live: string;
  pins: string[];
  history: number;
  bytes: number;
  story: { events: unknown[] };
}

/** What a shell command that runs the child prints. */
function run(script: string, directory: string): Seen[] {
  const result = spawnSync('bash', ['-c', script, 'bash', process.execPath, child, directory], {
    encoding: 'utf8',
    timeout,
  });
  assert.equal(result.status, 0, result.stderr);
  return JSON.parse(result.stdout) as Seen[];
}

function assertSurvives([before, during, after, restarted]: Seen[], reason: RegExp): void {
  assert.ok(before && during && after && restarted);
  assert.deepEqual(before.health, { ok: true });
  assert.equal(during.health.ok, false);
  assert.match(during.health.reason ?? '', reason);
  assert.equal(during.live, sha(2), 'what can not be written counts nevertheless');
  assert.deepEqual(during.pins, [sha(3)]);
  assert.equal(during.health.lost, 0);
  assert.deepEqual(after.health, { ok: true });
  assert.equal(after.history, 4);
  assert.equal(restarted.live, sha(4));
  assert.deepEqual(restarted.pins, [sha(3)]);
  assert.ok(restarted.bytes > 0);
  assert.equal(restarted.story.events.length, storyLength);
}

const mount = 'mount -t tmpfs -o size=1m none "$3"';
const mayMount = spawnSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs none /mnt'], { timeout }).status === 0;

test('a full disk', { skip: mayMount ? false : 'this machine lets nobody mount a small disk', timeout }, (t) => {
  const directory = temporary(t);
  const seen = run(`exec unshare -rm bash -c '${mount} && exec "$1" "$2" "$3" space' bash "$1" "$2" "$3"`, directory);
  assertSurvives(seen, /the disk is full/);
});

test('a disk that fails (the limit of a file size, which is an I/O error to SQLite)', { timeout }, (t) => {
  const seen = run('ulimit -S -f 400; exec "$1" "$2" "$3" limit', temporary(t));
  assertSurvives(seen, /the disk reports an I\/O error/);
});
