// Run by scripts/test.sh once everything is set up: the checks, then the tests, or only the test files given as arguments.
import { createWriteStream, globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { pipeline } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { runCheck } from './check.ts';
import { Progress } from './progress.ts';

const files = process.argv.slice(2);
const log = 'test.log';
/** A test file without output for this long hangs: everything is stopped. */
const stallMs = Number(process.env['TEST_STALL_MS'] ?? 5 * 60_000);

const progress = new Progress();
if (files.length === 0) await runChecks();
await runTests();
progress.conclude(log);
process.exit(progress.failed === 0 && progress.passed > 0 ? 0 : 1);

async function runChecks(): Promise<void> {
  for (const [name, ...args] of [
    ['tsc', '--noEmit'],
    ['eslint', '.', '--max-warnings', '0'],
    ['prettier', '--check', '--log-level', 'warn', '.'],
  ] as const)
    progress.check(await runCheck(name, args));
}

async function runTests(): Promise<void> {
  const stalled = new AbortController();
  const stream = run({
    files: files.length > 0 ? files : globSync('test/**/*.test.ts').sort(),
    concurrency: Number(process.env['TEST_CONCURRENCY'] ?? availableParallelism()),
    signal: stalled.signal,
  });
  const timer = setTimeout(() => stalled.abort(), stallMs);
  stream.on('data', () => timer.refresh());
  progress.follow(stream);
  await pipeline(stream, new spec(), createWriteStream(log));
  clearTimeout(timer);
}
