import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { buildLua, luaFile, luaFilterNames } from '../../scripts/build-lua.ts';

for (const name of luaFilterNames) {
  test(`envoy/${name}.lua is what its parts in envoy/src/ make: npm run build:lua`, () => {
    assert.equal(readFileSync(luaFile(name), 'utf8'), buildLua(name));
  });
}
