import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { encodeSizes, packIds, packSizes, unpackIds } from '../../src/release/packed.ts';
import { customerKey, nextPrefix } from '../../src/release/runtime-keys.ts';

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
      assert.deepEqual(unpackIds(packIds(ids)), ids);
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

const layer = (count: number) =>
  new Map<string, number | string>([
    ['shuffle_sharding.total_hosts', 8],
    ...Array.from({ length: count }, (_, i) => [customerKey(`c${i}`), 2] as const),
    [customerKey('c0', nextPrefix), 0],
    ['other.key', 'x'],
  ]);

test('auto packs from 1,000 customers on; keys and packed always do what they say', () => {
  for (const encoding of ['auto', 'keys'] as const) assert.deepEqual(encodeSizes(layer(998), encoding), layer(998));
  assert.deepEqual(encodeSizes(layer(2_000), 'keys'), layer(2_000));
  assert.deepEqual(
    [...encodeSizes(layer(2_000), 'auto').keys()],
    ['shuffle_sharding.total_hosts', 'other.key', 'shuffle_sharding.sizes', 'shuffle_sharding.next.sizes'],
  );
  assert.deepEqual(
    [...encodeSizes(layer(2), 'packed')],
    [
      ['shuffle_sharding.total_hosts', 8],
      ['other.key', 'x'],
      ['shuffle_sharding.sizes', ',c0=2,c1=2,'],
      ['shuffle_sharding.next.sizes', ',c0=0,'],
    ],
  );
  assert.deepEqual([...encodeSizes(new Map([['a', 1]]), 'packed')], [['a', 1]]);
});
