import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { gitErrorCodes } from '../../../src/git/exec/git-error.ts';

test('docs/git.md explains every code, and no other', async () => {
  const docs = await readFile(new URL('../../../docs/git.md', import.meta.url), 'utf8');
  const table = docs.slice(docs.indexOf('\n## Errors'));
  const rows = table.split('\n').filter((line) => line.startsWith('| `'));
  const explained = rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, code]) => code),
  );
  assert.deepEqual(explained.sort(), [...gitErrorCodes].sort());
});
