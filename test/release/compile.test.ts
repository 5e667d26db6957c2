import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileRelease } from '../../src/release/compile.ts';
import { layerConfig } from '../../src/release/layer-config.ts';

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
