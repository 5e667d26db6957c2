import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Diagnostic } from '../../src/config/diagnostic.ts';
import { compileSchema } from '../../src/config/schema.ts';
import { evaluate } from '../../src/daemon/evaluate.ts';
import { GitError } from '../../src/git/exec/git-error.ts';
import type { Revision } from '../../src/git/read/revision.ts';
import { Judge } from '../../src/judge/judge.ts';
import type { Story } from '../../src/ledger/store.ts';
import { versionOf } from '../helpers/ids.ts';

const revision: Revision = {
  version: versionOf('v'),
  subject: 's',
  author: 'A',
  committedAt: '2026-01-01T00:00:00Z',
  trailers: new Map(),
  rollout: null,
  content: { bytes: Buffer.from('{}'.repeat(100_000)) },
};

function storyOf(code: Diagnostic['code']): Story {
  const diagnostic = { code, message: 'm', file: 'f', line: 1, column: 1, hint: null };
  return { revision: { outcome: 'invalid', diagnostics: [diagnostic] }, events: [] } as unknown as Story;
}

test('what was too costly once is not read again, after a restart neither', async () => {
  const judge = new Judge({ file: 'f', validate: compileSchema(null) });
  await judge.close(); // it reads nothing
  const known = await evaluate(revision, { judge, journal: { story: () => Promise.resolve(storyOf('too-costly')) } });
  assert.deepEqual(known.release, null);
  assert.deepEqual(
    known.diagnostics.map(({ code }) => code),
    ['too-costly'],
  );
  const others = [null, 'ambiguous', storyOf('schema')] as const;
  for (const story of others)
    await assert.rejects(
      evaluate(revision, { judge, journal: { story: () => Promise.resolve(story) } }),
      GitError,
      'it is read',
    );
});
