import assert from 'node:assert/strict';
import { test } from 'node:test';
import { because, listSome } from '../../src/config/words.ts';

test('a list names three, and counts the others', () => {
  assert.equal(listSome(['a', 'b', 'c']), 'a, b, c');
  assert.equal(listSome(['a', 'b', 'c', 'd']), 'a, b, c and 1 other');
  assert.equal(listSome(['a', 'b', 'c', 'd', 'e']), 'a, b, c and 2 others');
});

test('a reason follows what was done, where one was given', () => {
  assert.equal(because('p99 is up'), ': p99 is up');
  assert.equal(because(''), '');
});
