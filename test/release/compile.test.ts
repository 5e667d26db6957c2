import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Json, NextView } from '../../src/config/config.ts';
import { compileRelease, toFields } from '../../src/release/compile.ts';
import { makeConfig } from '../helpers/config.ts';
import { versionOf } from '../helpers/ids.ts';

const commit = { version: versionOf('a'.repeat(40)), subject: 'Grow customer-A' };
const sizes = (...entries: [string, number][]) => new Map(entries);

describe('toFields', () => {
  test('the path in the YAML is the runtime key, and the version is among them', () => {
    const config = makeConfig({
      totalHosts: 2,
      defaultShardSize: 1,
      customers: sizes(['acme.com', 2], ['__proto__', 1]),
      hosts: ['127.0.0.1:8001', '[::1]:8002'],
      runtime: new Map<string, Json>([
        ['my_feature.percent', 25],
        ['guard', true],
      ]),
    });
    const release = compileRelease(config, commit);
    assert.deepEqual(release, { ...commit, config });
    assert.deepEqual(
      [...toFields(release)],
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

  test('drained slots are one value; where none are, and in cluster mode, there is no key', () => {
    const hosts = ['a:1', 'b:1', 'c:1', 'd:1'];
    const drained = toFields(compileRelease(makeConfig({ totalHosts: 4, hosts, drained: [0, 2] }), commit));
    assert.equal(drained.get('shuffle_sharding.drain'), ',0,2,');
    assert.deepEqual(
      [...toFields(compileRelease(makeConfig(), commit)).keys()],
      ['total_hosts', 'default_shard_size', 'version'].map((name) => `shuffle_sharding.${name}`),
    );
  });

  const current = makeConfig({
    totalHosts: 2,
    defaultShardSize: 1,
    customers: sizes(['a', 2], ['b', 2], ['c', 1]),
    hosts: ['a:1', 'b:1'],
    drained: [1],
    runtime: new Map([['guard', true]]),
  });
  const next: NextView = {
    config: makeConfig({
      totalHosts: 3,
      defaultShardSize: 1,
      customers: sizes(['b', 2], ['c', 3], ['d', 3]),
      hosts: ['a:1', '', 'c:1'],
    }),
    version: 'new',
    cutover: 2500,
    first: new Set(['x,y', 'z']),
  };
  const under = (prefix: string, values: Record<string, Json>) =>
    Object.entries(values).map(([key, value]) => [`${prefix}${key}`, value]);

  test('the next view: of customers, what is not as in the current one', () => {
    const keys = [...toFields({ ...commit, config: current, next })];
    const nextKeys = under('shuffle_sharding.next.', {
      total_hosts: 3,
      default_shard_size: 1,
      'customer.c.shard_size': 3,
      'customer.d.shard_size': 3,
      'customer.a.shard_size': 0,
      hosts: 'a:1,,c:1',
      drain: ',',
      version: 'new',
      cutover: 2500,
      first: ',x%2Cy,z,',
    });
    assert.deepEqual(keys, [
      ...[...toFields({ ...commit, config: current })].slice(0, -1),
      ...nextKeys,
      ['guard', true],
    ]);
  });

  test('packed, each view has the sizes in one value', () => {
    const keys = toFields({ ...commit, config: current, next }, 'packed');
    assert.deepEqual(
      [...keys].filter(([key]) => /size(s|$)/.test(key)),
      under('shuffle_sharding.', {
        default_shard_size: 1,
        sizes: ',a=2,b=2,c=1,',
        'next.default_shard_size': 1,
        'next.sizes': ',a=0,c=3,d=3,',
      }),
    );
    assert.deepEqual(
      [...toFields({ ...commit, config: makeConfig() }, 'packed')],
      [...toFields({ ...commit, config: makeConfig() })],
      'no sizes, no key',
    );
  });

  const dealt = makeConfig({
    customers: sizes(['a', 2]),
    deals: sizes(['a', 3], ['new', 1]),
    quarantineHosts: 2,
    quarantined: new Set(['bad,one', 'b']),
    quarantineUntil: sizes(['b', 1]),
  });
  const calm = makeConfig({ deals: sizes(['a', 4]), quarantined: new Set(['b']), quarantineHosts: 2 });
  const ofCustomers = (fields: ReadonlyMap<string, Json>) =>
    [...fields].filter(([key]) => /customer|quarantine|deals|sizes/.test(key));
  const toNext = (config: typeof calm): NextView => ({ ...next, config, first: new Set() });

  test('deals and quarantine: as in the file; when it is over is nothing for an Envoy', () => {
    const own = {
      'customer.a.shard_size': 2,
      'customer.a.deal': 3,
      'customer.new.deal': 1,
      'customer.bad,one.quarantine': true,
      'customer.b.quarantine': true,
      quarantine_hosts: 2,
    };
    assert.deepEqual(ofCustomers(toFields({ ...commit, config: dealt })), under('shuffle_sharding.', own));
    const back = {
      'customer.a.shard_size': 0,
      'customer.a.deal': 4,
      'customer.new.deal': 0,
      'customer.bad,one.quarantine': false,
      quarantine_hosts: 2,
    };
    assert.deepEqual(ofCustomers(toFields({ ...commit, config: dealt, next: toNext(calm) })), [
      ...under('shuffle_sharding.', own),
      ...under('shuffle_sharding.next.', back),
    ]);
  });

  test('packed, each is a list; a next view without a quarantine says so', () => {
    assert.deepEqual(
      ofCustomers(toFields({ ...commit, config: dealt, next: toNext(makeConfig()) }, 'packed')),
      under('shuffle_sharding.', {
        sizes: ',a=2,',
        deals: ',a=3,new=1,',
        quarantined: ',b=1,bad%2Cone=1,',
        quarantine_hosts: 2,
        'next.sizes': ',a=0,',
        'next.deals': ',a=0,new=0,',
        'next.quarantined': ',b=0,bad%2Cone=0,',
        'next.quarantine_hosts': 0,
      }),
    );
  });

  test('auto packs from 1,000 customers on, those of the next view counted; keys never', () => {
    const many = (count: number) => new Map(Array.from({ length: count }, (_, i) => [`c${i}`, 2]));
    const isPacked = (customers: number, changed: number, encoding: 'auto' | 'keys') => {
      const config = makeConfig({ customers: many(customers) });
      const view = { ...next, config: { ...config, customers: new Map([...config.customers].slice(changed)) } };
      return toFields({ ...commit, config, next: view }, encoding).has('shuffle_sharding.sizes');
    };
    assert.deepEqual(
      [isPacked(999, 0, 'auto'), isPacked(999, 1, 'auto'), isPacked(1_000, 0, 'auto'), isPacked(2_000, 0, 'keys')],
      [false, true, true, false],
    );
  });
});
