import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatExplanation } from '../../src/cli/explain.ts';
import type { Json } from '../../src/config/config.ts';
import { explainRelease } from '../../src/daemon/explain.ts';

const now: [string, Json][] = [
  ['shuffle_sharding.total_hosts', 8],
  ['shuffle_sharding.default_shard_size', 2],
];
const told = (...more: [string, Json][]) => {
  const release = { version: 'a'.repeat(40), subject: '', fields: new Map<string, Json>([...now, ...more]) };
  return formatExplanation(explainRelease(release, 'customer-A'), null);
};

test('with one view nothing is said of views', () => {
  assert.match(told(), /^customer-A {2}x-shard-assignment: \[5,8\] {2}x-shard-config: 2\/8\n {2}version a{12}\n/);
  assert.doesNotMatch(told(), /view|drained/);
});

test('which view the customer uses, and why', () => {
  const next = (cutover: number, first = ','): [string, Json][] => [
    ['shuffle_sharding.next.total_hosts', 12],
    ['shuffle_sharding.next.version', 'b'.repeat(40)],
    ['shuffle_sharding.next.cutover', cutover],
    ['shuffle_sharding.next.first', first],
  ];
  const at = 6169; // test/fixtures/cutover-vectors.json
  assert.match(told(...next(at)), /version a{12}\n {2}the current view: this customer is at 6169 of 10000, not below/);
  assert.match(told(...next(at + 1)), /2\/12\n {2}version b{12}\n {2}the next view: this customer is at 6169 of 10000/);
  assert.match(
    told(...next(0, ',customer-A,')),
    /version b{12}\n {2}the next view: shuffle_sharding\.next\.first names/,
  );
});

test('drained slots that the shard would have had', () => {
  const text = told(['shuffle_sharding.drain', ',4,'], ['shuffle_sharding.hosts', 'a:1,b:1,c:1,d:1,e:1,f:1,g:1,h:1']);
  assert.match(text, /the 2 highest of 8 scores, past those that are drained:\n/);
  assert.match(text, /\n {4}drained: host 5 \(e:1\), score \d+\n/);
});
