import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { diagnosticCodes } from '../../src/config/diagnostic.ts';

it('docs/errors.md explains every code, and no other', () => {
  const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  const sections = [...text.matchAll(/^### `([^`]+)`$/gm)].map((match) => match[1]);
  assert.deepEqual(sections, [...diagnosticCodes]);
});
