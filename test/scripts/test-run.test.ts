import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../helpers/git.ts';

const script = fileURLToPath(new URL('../../scripts/test/run.ts', import.meta.url));

/** Runs test files of that content as scripts/test.sh would. */
async function runFiles(files: Record<string, string>): Promise<{ exitCode: number; lines: string[] }> {
  await using folder = await temporaryFolder();
  const paths = Object.keys(files).map((name) => join(folder.path, name));
  for (const path of paths)
    await writeFile(path, `import { test } from 'node:test';\n${files[path.split('/').at(-1)!]}`);
  const inherited = { ...process.env };
  delete inherited.NODE_TEST_CONTEXT; // else it takes itself for a part of this run
  const env = { ...inherited, TEST_STALL_MS: '3000', NO_COLOR: '1' };
  return await new Promise((resolve) => {
    execFile(process.execPath, [script, ...paths], { cwd: folder.path, env, timeout: 60_000 }, (error, stdout) => {
      resolve({ exitCode: Number(error?.code ?? 0), lines: stdout.trimEnd().split('\n') });
    });
  });
}

test('the last line counts, and the exit code tells', async () => {
  const { exitCode, lines } = await runFiles({
    'a.test.ts': `test('one', () => {}); test('two', () => {}); test('not here', { skip: true }, () => {});`,
  });
  assert.equal(exitCode, 0, lines.join('\n'));
  assert.deepEqual(lines.slice(-2), ['1 skipped', '2 passed, 0 failed']);
});

test('a failure is told in full, and one that is within another once', async () => {
  const { exitCode, lines } = await runFiles({
    'a.test.ts': `test('outer', async (t) => { await t.test('inner', () => { throw new Error('so it is'); }); });`,
  });
  assert.equal(exitCode, 1);
  assert.equal(lines.at(-1), '0 passed, 2 failed');
  assert.deepEqual(lines.filter((line) => /FAILED.*:\d/.test(line)).length, 1);
  assert.ok(lines.some((line) => line.includes('Error: so it is')));
});

test('a file that cannot be read, and one that hangs, fail', async () => {
  const { exitCode, lines } = await runFiles({
    'broken.test.ts': 'this is no program',
    'hangs.test.ts': `test('one', () => { setInterval(() => {}, 1000); });`,
  });
  assert.equal(exitCode, 1);
  assert.equal(lines.at(-1), '1 passed, 2 failed');
  assert.ok(lines.some((line) => line.includes('SyntaxError')));
  assert.ok(lines.some((line) => line.includes('it was cut off: it hung')));
});
