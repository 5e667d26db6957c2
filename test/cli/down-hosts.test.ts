import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toSlots } from '../../src/cli/down-hosts.ts';
import type { CliError } from '../../src/cli/exit.ts';
import { makeConfig } from '../helpers/config.ts';

const listed = makeConfig({ totalHosts: 4, hosts: ['10.0.0.1:80', '10.0.0.1:81', '', '[::1]:80'] });

test('numbers, ranges, addresses, and machines', () => {
  const slots = (list: string) => [...toSlots(list, listed)];
  assert.deepEqual(slots('1'), [0]);
  assert.deepEqual(slots(' 2 , 3-4,2'), [1, 2, 3]);
  assert.deepEqual(slots('10.0.0.1:81'), [1]);
  assert.deepEqual(slots('10.0.0.1'), [0, 1]);
  assert.deepEqual(slots('::1,[::1]:80'), [3]);
  assert.deepEqual(slots(','), []);
});

test('what is not there is a usage error that says what is', () => {
  const says = (list: string, message: RegExp, hint: RegExp, config = listed) =>
    assert.throws(
      () => toSlots(list, config),
      (error: CliError) => error.exitCode === 2 && message.test(error.message) && hint.test(error.hint ?? ''),
      list,
    );
  says('5', /no host 5: hosts count from 1 to 4/, /x-shard-assignment/);
  says('0', /no host 0/, /./);
  says('3-9', /no host 3-9/, /./);
  says('4-3', /no host 4-3/, /./);
  says('99999999', /no host of the config is 99999999/, /./);
  says('10.0.0.1:82', /no host of the config is 10\.0\.0\.1:82/, /did you mean 10\.0\.0\.1:8[01]\?/);
  says('\u001b[2J', /\\u\{1b\}/, /its number, or ip:port/);
  says('10.0.0.1:80', /not a host’s number/, /lists no addresses/, makeConfig());
});
