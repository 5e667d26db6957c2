import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { customerKey, keyPrefix, nextKeys, nextPrefix, ownKeys, viewKeys } from '../../src/release/runtime-keys.ts';

const lua = (name: string) => readFileSync(new URL(`../../envoy/src/${name}.lua`, import.meta.url), 'utf8');
/** The words of a list or set in Lua. */
const words = (text: string | undefined) => (text?.match(/\w+(?= = 1)|(?<=")\w+(?=")/g) ?? []).sort();

test('the filter knows the same names', () => {
  const names = lua('names');
  const [customer] = customerKey('sizes', '*').slice(keyPrefix.length).split('*');
  for (const line of [
    `local PREFIX = "${keyPrefix}"`,
    `local NEXT = "${nextPrefix}"`,
    `local CUSTOMER = "${customer}"`,
    ...Object.values(ownKeys).map(({ key, list }) => `  ${key} = { list = "${list}", `),
  ])
    assert.ok(names.includes(line), line);
  assert.deepEqual(
    words(/^local OWN_NAMES = \{(.*)\}$/m.exec(names)?.[1]),
    Object.values(ownKeys)
      .map(({ key }) => key)
      .sort(),
  );
  assert.deepEqual(words(/^local FIELDS = \{(.*)\}$/m.exec(lua('views'))?.[1]), Object.values(nextKeys).sort());
  for (const text of [lua('views'), lua('shuffle_shard.main')])
    assert.deepEqual(words(/^local (?:VIEW_)?FIELDS = \{(.*)\}$/m.exec(text)?.[1]), Object.values(viewKeys).sort());
});
