import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileSchema } from '../../src/config/schema.ts';
import { brief, minimal, parse } from './support.ts';

const anything = compileSchema({});

describe("a schema of the user's own", () => {
  it('replaces ours: what it lets through `runtime:` is kept as it is', () => {
    const { config, diagnostics } = parse(
      `${minimal}owner: me\nruntime: {list: [1, null], nothing: null, deep: {a: {b: [2]}}, n: 12345678, "a b": .inf}\n`,
      anything,
    );
    assert.deepEqual(diagnostics, []);
    assert.deepEqual(Object.fromEntries(config?.runtime ?? []), {
      list: [1, null],
      nothing: null,
      deep: { a: { b: [2] } },
      n: 12345678,
      'a b': Infinity,
    });
  });

  it('may add keys to shuffle_sharding and to customers', () => {
    const { config } = parse(`${minimal}  team: x\n  customer: {acme: {shard_size: 3, contact: y}}\n`, anything);
    assert.equal(config?.customers.get('acme'), 3);
  });

  it('does not free shuffle_sharding from the shape that the compiler needs', () => {
    const faults = (text: string) => brief(parse(text, anything).diagnostics);
    assert.deepEqual(faults('a: 1'), ['1:1 schema']);
    assert.deepEqual(faults('shuffle_sharding: {total_hosts: x, default_shard_size: 1}'), ['1:33 schema']);
    assert.deepEqual(faults(`${minimal}  customer: {acme: 3}`), ['4:20 schema']);
    assert.deepEqual(faults(`${minimal}  customer: {acme: {size: 3}}`), ['4:14 schema']);
    assert.deepEqual(faults(`${minimal}  hosts: [a]`), ['4:11 bad-host']);
    assert.deepEqual(faults(`${minimal}runtime: [1]`), ['4:10 schema']);
  });

  it('does not free the file from the rules after the schema', () => {
    const faults = (text: string) => brief(parse(`${minimal}${text}`, anything).diagnostics);
    assert.deepEqual(faults('  customer: {acme: {shard_size: 9}}'), ['4:33 shard-too-big']);
    assert.deepEqual(faults('runtime: {envoy: {reloadable_features: {x: true}}}'), ['4:41 reserved-key']);
    assert.deepEqual(faults('runtime: {shuffle_sharding: {total_hosts: 1}}'), ['4:30 reserved-key']);
    assert.deepEqual(faults('runtime: {a.b: 1, a: {b: 2}}'), ['4:23 key-clash']);
    assert.deepEqual(faults('runtime: {a.b: 1, a: {b: {c: 2}}}'), ['4:27 key-clash']);
    assert.deepEqual(faults(`runtime: {a: {${'b'.repeat(1023)}: 1}}`), ['4:15 schema']);
  });

  it('sees a fraction as the one value that it is for Envoy', () => {
    const text = `${minimal}runtime: {a: {numerator: 1, denominator: HUNDRED}, a.numerator: 2}\n`;
    assert.deepEqual(brief(parse(text, anything).diagnostics), ['4:52 key-clash']);
  });

  it('words its own faults with its descriptions', () => {
    const schema = compileSchema({
      properties: { team: { type: 'string', enum: ['red', 'blue'], description: 'The team that owns the fleet.' } },
      required: ['team'],
    });
    const [wrong] = parse(`${minimal}team: green\n`, schema).diagnostics;
    assert.equal(wrong?.message, 'team must be "red" or "blue", not "green"');
    assert.equal(wrong.hint, 'The team that owns the fleet.');
    const [missing] = parse(minimal, schema).diagnostics;
    assert.equal(missing?.message, 'the file lacks the key "team"');
    assert.equal(missing.hint, 'The team that owns the fleet.');
  });

  it('gives one fault for a union, not one for each branch', () => {
    const schema = compileSchema({ properties: { a: { anyOf: [{ type: 'integer' }, { type: 'array' }] } } });
    assert.deepEqual(brief(parse(`${minimal}a: x\n`, schema).diagnostics), ['4:4 schema']);
  });

  it('says so where it can not be applied to hostile keys', () => {
    const schema = compileSchema({ properties: { runtime: { additionalProperties: { uniqueItems: true } } } });
    const { config, diagnostics } = parse(`${minimal}runtime: {a: [{valueOf: 1}, {valueOf: 2}]}\n`, schema);
    assert.equal(config, null);
    assert.match(diagnostics[0]?.message ?? '', /^the schema could not be applied: /);
  });
});

describe('a schema that can not be used', () => {
  const refused: [string, object, RegExp][] = [
    ['is none', { type: 'objekt' }, /^not a valid JSON Schema: schema is invalid/],
    ['refers to another file', { $ref: 'other.json' }, /^not a valid JSON Schema: can't resolve reference other.json/],
    ['is a list', [], /^not a valid JSON Schema: it is a list$/],
    ['has a broken pattern', { pattern: '(' }, /^not a valid JSON Schema: Invalid regular expression/],
    ['is asynchronous', { $async: true }, /^not a valid JSON Schema: \$async/],
    ['is of an old draft', { $schema: 'http://json-schema.org/draft-04/schema#' }, /^not a JSON Schema of draft-07/],
  ];
  for (const [name, schema, message] of refused) {
    it(name, () => assert.throws(() => compileSchema(schema), { name: 'Error', message }));
  }

  it('may be of draft-07, 2019-09 or 2020-12, and hold keywords of other tools', () => {
    for (const draft of [
      'http://json-schema.org/draft-07/schema#',
      'https://json-schema.org/draft/2019-09/schema',
      'https://json-schema.org/draft/2020-12/schema',
    ]) {
      const schema = compileSchema({ $schema: draft, type: 'object', required: ['team'], markdownDescription: 'x' });
      assert.equal(schema.builtin, false);
      assert.deepEqual(brief(parse(minimal, schema).diagnostics), ['1:1 schema']);
    }
  });
});
