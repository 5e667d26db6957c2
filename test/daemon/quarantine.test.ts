import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findOverdue } from '../../src/daemon/quarantine.ts';
import { makeConfig } from '../helpers/config.ts';

test('whose quarantine should be over, the longest overdue first', () => {
  const config = makeConfig({
    quarantineUntil: new Map([
      ['later', 101],
      ['now', 100],
      ['long ago', 5],
    ]),
  });
  assert.deepEqual(findOverdue(config, 100), ['long ago', 'now']);
  assert.deepEqual(findOverdue(config, 4), []);
  assert.deepEqual(findOverdue(makeConfig(), 100), []);
});
