import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatExplanation } from '../../src/cli/explain.ts';
import { explainFleet } from '../../src/daemon/explain-release.ts';
import type { Fleet } from '../../src/daemon/fleet.ts';
import type { Release } from '../../src/release/release.ts';
import { makeConfig } from '../helpers/config.ts';
import { versionOf } from '../helpers/ids.ts';

const release: Release = { version: versionOf('a'.repeat(40)), subject: '', config: makeConfig() };
const told = (changes: Partial<Release> = {}, ahead: Fleet['ahead'] = null) =>
  formatExplanation(explainFleet({ common: { ...release, ...changes }, ahead }, 'customer-A')!, null);

test('with one view nothing is said of views', () => {
  assert.match(told(), /^customer-A {2}x-shard-assignment: \[5,8\] {2}x-shard-config: 2\/8\n {2}version a{12}\n/);
  assert.doesNotMatch(told(), /view|drained/);
});

test('which view the customer uses, and why', () => {
  const next = (cutover: number, ...first: string[]): Partial<Release> => ({
    next: { config: makeConfig({ totalHosts: 12 }), version: 'b'.repeat(40), cutover, first: new Set(first) },
  });
  const at = 6169; // test/fixtures/cutover-vectors.json
  assert.match(told(next(at)), /version a{12}\n {2}the current view: this customer is at 6169 of 10000, not below/);
  assert.match(told(next(at + 1)), /2\/12\n {2}version b{12}\n {2}the next view: this customer is at 6169 of 10000/);
  assert.match(told(next(0, 'customer-A')), /version b{12}\n {2}the next view: shuffle_sharding\.next\.first names/);
});

test('a deal and a quarantine are said, with the keys of the customer’s own entry', () => {
  const hosts = Array.from('abcdefgh').map((host) => `${host}:1`);
  const dealt = told({ config: makeConfig({ hosts, deals: new Map([['customer-A', 3]]) }) });
  assert.match(dealt, /\n {2}shuffle_sharding\.customer\.customer-A\.deal = 3: the scores are those of customer-A#3\n/);
  assert.match(dealt, /customer-A\.shard_size is not set/);
  assert.doesNotMatch(dealt, /quarantine/);
  const apart = told({
    config: makeConfig({ hosts, quarantineHosts: 2, quarantined: new Set(['customer-A']), drained: [1, 7] }),
  });
  assert.match(apart, /x-shard-assignment: \[7\] {2}x-shard-config: 1\/8\n/);
  assert.match(
    apart,
    /\n {2}shuffle_sharding\.customer\.customer-A\.quarantine = true: of the quarantine's hosts alone\n/,
  );
  assert.match(apart, /drained: host 8 \(h:1\)/);
  assert.doesNotMatch(apart, /host 2 |one more/);
});

test('what nodes do that a wave has reached, while the others do not', () => {
  const newer = { ...release, version: versionOf('c'.repeat(40)), config: makeConfig({ defaultShardSize: 3 }) };
  const text = told({}, { release: newer, nodes: 1, connected: 5 });
  assert.match(text, /^customer-A {2}x-shard-assignment: \[5,8\] {2}x-shard-config: 2\/8\n {2}version a{12}\n/);
  assert.match(
    text,
    /\n {2}1 of 5 nodes: c{12}, which is being rolled out {2}x-shard-assignment: \[5,8,\d\] {2}x-shard-config: 3\/8\n/,
  );
});

test('drained slots that the shard would have had', () => {
  const text = told({ config: makeConfig({ drained: [4], hosts: Array.from('abcdefgh').map((host) => `${host}:1`) }) });
  assert.match(text, /the 2 highest of 8 scores, past those that are drained:\n/);
  assert.match(text, /\n {4}drained: host 5 \(e:1\), score \d+\n/);
});
