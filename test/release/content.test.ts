import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json, ShardConfig } from '../../src/config/config.ts';
import { contentFromJson, contentToJson, type Content } from '../../src/release/content.ts';
import { makeConfig } from '../helpers/config.ts';

/** As it is read back; deepEqual does not look at the order of a Map. */
const back = (content: Content): Content => contentFromJson(contentToJson(content));
const entries = ({ config: { customers, runtime } }: Content) => [[...customers], [...runtime]];

test('a content comes back in order, with keys and values that JSON has no words for', () => {
  const runtime = new Map<string, Json>([
    ['z', 1],
    ['a', 'x'],
    ['list', { numerator: -1, list: [null, true, NaN] }],
    ['n', NaN],
    ['i', -Infinity],
    ['__proto__', 5],
  ]);
  const hosts = ['a:1', '', 'c:1'];
  const customers = new Map([
    ['z', 1],
    ['__proto__', 2],
    ['1', 3],
  ]);
  const ofCustomers = {
    deals: new Map([
      ['z', 3],
      ['new', 1],
    ]),
    quarantined: new Set(['z', '1']),
    quarantineUntil: new Map([['z', 1_766_599_200_000]]),
  };
  const drained = [0, 2];
  const config = makeConfig({ totalHosts: 3, hosts, drained, customers, quarantineHosts: 1, ...ofCustomers, runtime });
  assert.deepEqual(back({ config }), { config });
  assert.deepEqual(entries(back({ config })), entries({ config }));
  const next = { config: { ...config, totalHosts: 4 }, version: 'v', cutover: 250, first: new Set(['b', 'a']) };
  assert.deepEqual(back({ config: makeConfig(), next }), { config: makeConfig(), next });
});

test('whatever the ids and values are, a content is one text', () => {
  const id = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 });
  const sizes = fc.uniqueArray(fc.tuple(id, fc.integer({ min: 1 })), { selector: ([name]) => name });
  const runtime = fc.uniqueArray(fc.tuple(id, fc.oneof(fc.jsonValue(), fc.double())), { selector: ([name]) => name });
  fc.assert(
    fc.property(sizes, runtime, (some, values) => {
      const config = makeConfig({ customers: new Map(some), runtime: new Map(values as [string, Json][]) });
      const text = contentToJson({ config });
      const read = contentFromJson(text);
      assert.equal(contentToJson(read), text);
      assert.deepEqual([...read.config.customers], some);
    }),
  );
});

const config = '{"totalHosts":8,"defaultShardSize":2,"hosts":null,"customers":[],"runtime":[]}';
test('what is no content is not read as one', () => {
  assert.deepEqual(contentFromJson(`{"config":${config}}`), { config: makeConfig() });
  const wrong: Partial<Record<keyof ShardConfig, unknown>>[] = [
    { totalHosts: '8' },
    { defaultShardSize: null },
    { hosts: 'a:1' },
    { customers: [['a', 1], 7] },
    { customers: { a: 1 } },
    { deals: ['a'] },
    { quarantined: {} },
    { quarantineUntil: 7 },
    { runtime: [[7, 'a']] },
  ];
  const texts = wrong.map((change) => JSON.stringify({ config: { ...JSON.parse(config), ...change } as object }));
  for (const text of [...texts, '{"config":', '[["a",1]]', '7', 'null', '{}', `{"config":${config},"next":{}}`])
    assert.throws(() => contentFromJson(text), SyntaxError, text);
});
