import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assignShard } from '../../src/shard/assign.ts';
import { explainShard } from '../../src/shard/explain-shard.ts';
import { makeConfig } from '../helpers/config.ts';

test('a customer of its own size: slots with their numbers, hosts and scores, best first', () => {
  const hosts = Array.from({ length: 8 }, (_, i) => `10.0.0.${i}:80`);
  const explained = explainShard(makeConfig({ hosts, customers: new Map([['customer-A', 2]]) }), 'customer-A');
  assert.equal(explained.sizeFrom, 'customer');
  assert.equal(explained.shardSize, 2);
  assert.deepEqual(
    explained.slots.map(({ slot, number, host }) => [slot, number, host]),
    [
      [4, 5, '10.0.0.4:80'],
      [7, 8, '10.0.0.7:80'],
    ],
  );
  assert.ok(explained.slots[0]!.score > explained.slots[1]!.score);
});

test('drained and vacant slots are passed over, and said', () => {
  const hosts = Array.from({ length: 8 }, (_, i) => (i === 7 ? '' : `10.0.0.${i}:80`));
  const [best, second, third, fourth] = assignShard({ customer: 'customer-A', totalHosts: 8, shardSize: 4 });
  assert.equal(second, 7, 'the vacant one');
  const explained = explainShard(makeConfig({ hosts, drained: [best!] }), 'customer-A');
  assert.deepEqual(
    explained.slots.map(({ slot }) => slot),
    [third, fourth],
  );
  assert.deepEqual(
    explained.drained.map(({ slot, host }) => [slot, host]),
    [
      [best, `10.0.0.${best}:80`],
      [7, null],
    ],
  );
  assert.equal(explained.shardSize, 2);
  const wide = explainShard(makeConfig({ hosts, drained: [best!], defaultShardSize: 8 }), 'customer-A');
  assert.equal(wide.shardSize, 6);
  assert.equal(wide.next, null);
});

test('a customer that the config does not name has the default size', () => {
  const explained = explainShard(makeConfig({ defaultShardSize: 3 }), 'nobody');
  assert.equal(explained.sizeFrom, 'default');
  assert.deepEqual(
    explained.slots.map(({ slot }) => slot),
    assignShard({ customer: 'nobody', totalHosts: 8, shardSize: 3 }),
  );
  assert.equal(explained.slots[0]?.host, null);
});

test('next is where the shard would grow to', () => {
  const grown = assignShard({ customer: 'customer-A', totalHosts: 8, shardSize: 3 });
  assert.equal(explainShard(makeConfig(), 'customer-A').next?.slot, grown[2]);
  assert.equal(explainShard(makeConfig({ defaultShardSize: 8 }), 'customer-A').next, null);
});

test('the overlap counts the other configured customers, by shared hosts', () => {
  // 8/2: customer-A is on 4,7; customer-B on 3,5; customer-C on 1,3 (docs/design.md)
  const customers = new Map([
    ['customer-A', 2],
    ['customer-B', 2],
    ['customer-C', 2],
    ['everywhere', 8],
  ]);
  assert.deepEqual(explainShard(makeConfig({ customers }), 'customer-B').overlap, {
    others: 3,
    compared: 3,
    sharingNone: 1,
    sharingSome: 2,
    sharingAll: 1,
    namesSharingAll: ['everywhere'],
  });
  assert.equal(explainShard(makeConfig({ customers }), 'not-listed').overlap.others, 4);
});

test('who shares all is listed up to 20, and counted beyond', () => {
  const customers = new Map(Array.from({ length: 30 }, (_, i) => [`c${i}`, 8]));
  const { overlap } = explainShard(makeConfig({ customers }), 'customer-A');
  assert.equal(overlap.sharingAll, 30);
  assert.equal(overlap.namesSharingAll.length, 20);
});

test('a config that is huge is compared in part, the first customers of the file', () => {
  const customers = new Map(Array.from({ length: 50 }, (_, i) => [`c${i}`, 2]));
  const { overlap } = explainShard(makeConfig({ totalHosts: 1_000_000, customers }), 'c0');
  assert.equal(overlap.others, 49);
  assert.equal(overlap.compared, 30);
  assert.equal(overlap.sharingNone + overlap.sharingSome, 30);
});

test('a size beyond the hosts is cut to them', () => {
  const explained = explainShard(makeConfig({ totalHosts: 2, customers: new Map([['x', 5]]) }), 'x');
  assert.equal(explained.shardSize, 2);
  assert.equal(explained.next, null);
});
