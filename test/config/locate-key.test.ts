import assert from 'node:assert/strict';
import { it } from 'node:test';
import { locateKey } from '../../src/config/locate-key.ts';
import { minimal } from './support.ts';

const file = Buffer.from(`${minimal}  customer:
    acme: {shard_size: 1}
    acme.com:
      shard_size: 3
  hosts: [127.0.0.1:8001]
runtime:
  my_feature.percent: 25
  my_feature: {name: x}
  a.b: {c: {d: [1]}}
`);

const keys: [string, string | null][] = [
  ['shuffle_sharding.total_hosts', '2:3'],
  ['shuffle_sharding.customer.acme.com.shard_size', '7:7'],
  ['shuffle_sharding.customer.acme.shard_size', '5:12'],
  ['shuffle_sharding.hosts', '8:3'],
  ['my_feature.percent', '10:3'],
  ['my_feature.name', '11:16'],
  ['a.b.c.d', '12:13'],
  // the compiler's own key: as near as the file has it
  ['shuffle_sharding.version', '1:1'],
  ['shuffle_sharding.customer.other.shard_size', '4:3'],
  ['a.b.x', '12:3'],
  ['a.bc', null],
  ['my', null],
  ['runtime', '9:1'],
  ['', null],
];

for (const [key, expected] of keys) {
  it(`finds ${JSON.stringify(key)} at ${expected ?? 'no place'}`, () => {
    const position = locateKey(file, key);
    assert.equal(position && `${position.line}:${position.column}`, expected);
  });
}

it('finds nothing in a file that can not be read', () => {
  assert.equal(locateKey(Buffer.from([0xff]), 'a'), null);
  assert.equal(locateKey(Buffer.from('a: "'), 'a'), null);
  assert.equal(locateKey(Buffer.from('- a'), 'a'), null);
});

it('of a big file reads the section that is refused, and no more', () => {
  const customers = Array.from({ length: 20_000 }, (_, at) => `    c${at}: {shard_size: 1}\n`).join('');
  const big = (runtime: string): Buffer => Buffer.from(`${minimal}  customer:\n${customers}${runtime}`);
  assert.deepEqual(locateKey(big('runtime:\n  a: 1\n\n# c\n  b: 2\n'), 'b'), { line: 20_009, column: 3 });
  assert.deepEqual(locateKey(Buffer.from(`runtime:\n  b: 2\n${big('').toString()}`), 'b'), { line: 2, column: 3 });
  assert.equal(locateKey(big(''), 'shuffle_sharding.total_hosts'), null);
});
