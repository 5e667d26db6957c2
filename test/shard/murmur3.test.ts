import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fmix32, murmur3_32 } from '../../src/shard/murmur3.ts';

// published values of MurmurHash3_x86_32 (its author's SMHasher, and the ones that ports of it agree on)
const published: [string, number, number][] = [
  ['', 0, 0],
  ['', 1, 0x514e28b7],
  ['', 0xffffffff, 0x81f16f39],
  ['test', 0, 0xba6bd213],
  ['test', 0x9747b28c, 0x704b81dc],
  ['Hello, world!', 0, 0xc0363e43],
  ['Hello, world!', 0x9747b28c, 0x24884cba],
  ['The quick brown fox jumps over the lazy dog', 0, 0x2e4ff723],
  ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
  ['aaaa', 0x9747b28c, 0x5a97808a],
  ['aaa', 0x9747b28c, 0x283e0130],
  ['aa', 0x9747b28c, 0x5d211726],
  ['a', 0x9747b28c, 0x7fa09ea6],
];

test('murmur3_32 agrees with the published values', () => {
  for (const [text, seed, hash] of published) {
    assert.equal(murmur3_32(Buffer.from(text), seed), hash, `${JSON.stringify(text)} with seed ${seed}`);
  }
});

test('murmur3_32 reads a part of a larger buffer from its own start', () => {
  const part = Buffer.from('..Hello, world!..').subarray(2, 15);
  assert.equal(murmur3_32(part, 0), 0xc0363e43);
});

test('fmix32 takes signed and unsigned integers for the same 32 bits, and answers unsigned', () => {
  assert.equal(fmix32(1), 0x514e28b7);
  assert.equal(fmix32(-1), fmix32(0xffffffff));
  assert.equal(fmix32(-1), 0x81f16f39);
});
