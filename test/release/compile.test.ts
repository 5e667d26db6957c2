import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileRelease } from '../../src/release/compile.ts';
import type { Json } from '../../src/config/config.ts';
import { layerConfig, layerNext } from '../../src/release/layer-config.ts';

const commit = { version: 'a'.repeat(40), subject: 'Grow customer-A' };

test('the path in the YAML is the runtime key, and the version is among them', () => {
  const release = compileRelease(
    {
      totalHosts: 2,
      defaultShardSize: 1,
      customers: new Map([
        ['acme.com', 2],
        ['__proto__', 1],
      ]),
      hosts: ['127.0.0.1:8001', '[::1]:8002'],
      runtime: new Map<string, number | boolean>([
        ['my_feature.percent', 25],
        ['guard', true],
      ]),
    },
    commit,
  );
  assert.equal(release.version, commit.version);
  assert.equal(release.subject, 'Grow customer-A');
  assert.deepEqual(
    [...release.fields],
    [
      ['shuffle_sharding.total_hosts', 2],
      ['shuffle_sharding.default_shard_size', 1],
      ['shuffle_sharding.customer.acme.com.shard_size', 2],
      ['shuffle_sharding.customer.__proto__.shard_size', 1],
      ['shuffle_sharding.hosts', '127.0.0.1:8001,[::1]:8002'],
      ['shuffle_sharding.version', commit.version],
      ['my_feature.percent', 25],
      ['guard', true],
    ],
  );
});

test('drained slots are one value, and can be read back', () => {
  const config = {
    totalHosts: 4,
    defaultShardSize: 1,
    customers: new Map<string, number>(),
    hosts: ['a:1', 'b:1', 'c:1', 'd:1'],
    drained: [0, 2],
    runtime: new Map<string, number>(),
  };
  const release = compileRelease(config, commit);
  assert.equal(release.fields.get('shuffle_sharding.drain'), ',0,2,');
  assert.deepEqual(layerConfig(release), config);
});

test('the next view of a layer: what it does not say is as in the current one', () => {
  const fields = new Map<string, Json>([
    ['shuffle_sharding.total_hosts', 2],
    ['shuffle_sharding.default_shard_size', 1],
    ['shuffle_sharding.customer.a.shard_size', 2],
    ['shuffle_sharding.customer.b.shard_size', 2],
    ['shuffle_sharding.hosts', 'a:1,b:1'],
    ['shuffle_sharding.version', 'old'],
  ]);
  assert.equal(layerNext({ ...commit, fields }), null);
  const next: [string, Json][] = [
    ['shuffle_sharding.next.hosts', 'a:1,,c:1'],
    ['shuffle_sharding.next.total_hosts', 3],
    ['shuffle_sharding.next.customer.a.shard_size', 0],
    ['shuffle_sharding.next.customer.c.shard_size', 3],
    ['shuffle_sharding.next.drain', ',1,'],
    ['shuffle_sharding.next.version', 'new'],
    ['shuffle_sharding.next.cutover', 2500],
    ['shuffle_sharding.next.first', ',x%2Cy,z,'],
  ];
  assert.deepEqual(layerNext({ ...commit, fields: new Map([...fields, ...next]) }), {
    config: {
      totalHosts: 3,
      defaultShardSize: 1,
      customers: new Map([
        ['b', 2],
        ['c', 3],
      ]),
      hosts: ['a:1', '', 'c:1'],
      drained: [1],
      runtime: new Map(),
    },
    version: 'new',
    cutover: 2500,
    first: new Set(['x,y', 'z']),
  });
});

test('cluster mode has no hosts key', () => {
  const config = {
    totalHosts: 8,
    defaultShardSize: 2,
    customers: new Map<string, number>(),
    hosts: null,
    runtime: new Map<string, number>(),
  };
  assert.equal(compileRelease(config, commit).fields.has('shuffle_sharding.hosts'), false);
});

test('the sharding part can be read back from the layer', () => {
  const config = {
    totalHosts: 2,
    defaultShardSize: 1,
    customers: new Map([
      ['acme.com', 2],
      ['__proto__', 1],
      ['x.shard_size', 1],
    ]),
    hosts: ['127.0.0.1:8001', '[::1]:8002'],
    runtime: new Map<string, number>(),
  };
  assert.deepEqual(layerConfig(compileRelease(config, commit)), config);
  assert.equal(layerConfig(compileRelease({ ...config, hosts: null }, commit)).hosts, null);
});
