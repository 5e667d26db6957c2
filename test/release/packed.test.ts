import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { packIds, packSizes } from '../../src/release/packed.ts';

test('sizes are sorted by bytes, ids encoded where they must be', () => {
  const sizes = new Map([
    ['b', 1],
    ['a', 2],
    ['a=b,c%"\\', 3],
    ['é\x7f', 4],
    ['a-1', 5],
    ['😀', 1024],
  ]);
  assert.equal(packSizes(sizes), ',%C3%A9%7F=4,%F0%9F%98%80=1024,a=2,a%3Db%2Cc%25%22%5C=3,a-1=5,b=1,');
  assert.equal(packSizes(new Map()), ',');
});

test('an id of any characters survives, and the list is sorted', () => {
  const id = fc.string({ unit: 'binary', minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(fc.uniqueArray(id), (ids) => {
      assert.deepEqual(packIds(ids).split(',').slice(1, -1).map(decodeURIComponent), ids);
      const names = packSizes(new Map(ids.map((name) => [name, 1])))
        .split(',')
        .slice(1, -1)
        .map((entry) => entry.slice(0, -2));
      assert.deepEqual(
        names,
        names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
      );
      assert.deepEqual(new Set(names.map(decodeURIComponent)), new Set(ids));
    }),
  );
});
