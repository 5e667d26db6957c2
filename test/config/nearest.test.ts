import assert from 'node:assert/strict';
import { it } from 'node:test';
import { nearest } from '../../src/config/nearest.ts';

const keys = ['total_hosts', 'default_shard_size', 'customer', 'hosts', 'shard_size'];

const words: [string, string | null][] = [
  ['total_host', 'total_hosts'],
  ['TotalHosts', 'total_hosts'],
  ['customers', 'customer'],
  ['host', 'hosts'],
  ['hsots', 'hosts'],
  ['shard-size', 'shard_size'],
  ['size', 'shard_size'],
  ['', null],
  ['x', null],
  ['replicas', null],
];

for (const [word, expected] of words) {
  it(`takes ${JSON.stringify(word)} for ${expected ?? 'none'}`, () => assert.equal(nearest(word, keys), expected));
}
