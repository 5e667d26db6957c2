import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromParts, toParts } from '../../src/judge/config-parts.ts';
import { makeConfig } from '../helpers/config.ts';

test('a config comes back from a thread as it was, with all that customers have of their own', async () => {
  const entries = (count: number) => new Map(Array.from({ length: count }, (_, i) => [`c${i}`, i] as const));
  const config = makeConfig({
    hosts: ['a:1', '', 'c:1'],
    drained: [0],
    customers: entries(5_000),
    deals: entries(3_000),
    quarantineHosts: 1,
    quarantined: new Set(['c1']),
    quarantineUntil: entries(2),
    runtime: new Map([['a.b', 'x']]),
  });
  assert.deepEqual(await fromParts(structuredClone(toParts(config))), config);
  assert.deepEqual(await fromParts(structuredClone(toParts(makeConfig()))), makeConfig());
});
