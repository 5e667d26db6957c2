import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { drawDiagnostic } from '../../src/terminal.ts';
import { otherReading } from '../../src/config/ambiguous.ts';
import type { Json } from '../../src/config/config.ts';
import { locateKey } from '../../src/config/locate-key.ts';
import { maxDiagnostics } from '../../src/config/parse.ts';
import { compileSchema } from '../../src/config/schema.ts';
import { minimal, parse } from './support.ts';

const anything = compileSchema({});
const runs = { numRuns: 1000 };

/** What holds for every input, under our schema and under one that allows anything. */
function checkTotal(bytes: Uint8Array): void {
  const text = Buffer.from(bytes).toString();
  for (const { config, diagnostics } of [parse(bytes), parse(bytes, anything)]) {
    assert.equal(config === null, diagnostics.length > 0);
    assert.ok(diagnostics.length <= maxDiagnostics + 1);
    let last = { line: 1, column: 1 };
    for (const diagnostic of diagnostics) {
      const { line, column } = diagnostic;
      assert.ok(line > last.line || (line === last.line && column >= last.column), 'in the order of positions');
      assert.ok(line <= text.split('\n').length, 'the line is in the file');
      assert.doesNotMatch(
        drawDiagnostic(diagnostic, text, { color: false }),
        /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u,
      );
      last = { line, column };
    }
    if (config !== null) assert.ok(config.totalHosts >= 1 && config.defaultShardSize >= 1);
  }
}

describe('garbage gives diagnostics, never an exception', () => {
  it('random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), checkTotal), runs);
  });

  it('random YAML-ish text', () => {
    const piece = fc.constantFrom(
      ...['shuffle_sharding:', 'total_hosts:', 'default_shard_size:', 'customer:', 'hosts:', 'runtime:', 'shard_size:'],
      ...[' ', '  ', '\n', '\n  ', '\n    ', '\t', '\r\n', ': ', '- ', '? ', ', ', '[', ']', '{', '}', '#', '|', '>'],
      ...['&a', '*a', '!!str', '!x', '<<', "'", '"', '\\', '---', '...', '%YAML 1.1', '~', 'null', 'true', '.nan'],
      ...['2', '-1', '0x10', '1e999', '1.2345678', 'a.b', 'a.b.c', '__proto__', '127.0.0.1:80', '[::1]:80', '客', '\0'],
      ...['\ufeff', '\u2028', '\\ud800', '\x1b[31m', minimal],
    );
    const text = fc.array(piece, { maxLength: 40 }).map((pieces) => Buffer.from(pieces.join('')));
    fc.assert(fc.property(text, checkTotal), runs);
  });

  it('a valid file with some of it cut, doubled or replaced', () => {
    const valid = `${minimal}  customer:\n    a: {shard_size: 3}\n    "b.c":\n      shard_size: 1 # c\nruntime:\n  f.percent: 25\n  s: |\n    x\n`;
    const edit = fc.record({
      at: fc.nat(valid.length),
      cut: fc.nat(8),
      put: fc.oneof(
        fc.constant(''),
        fc.string({ unit: 'binary', maxLength: 4 }),
        fc.constantFrom('\n', ' ', ':', '{', '"'),
      ),
    });
    const mutant = fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) => {
      let text = valid;
      for (const { at, cut, put } of edits) text = text.slice(0, at) + put + text.slice(at + cut);
      return Buffer.from(text);
    });
    fc.assert(fc.property(mutant, checkTotal), runs);
  });
});

describe('a config that is written as YAML', () => {
  const key = fc.oneof(
    fc.stringMatching(/^[a-z0-9_-]{1,12}$/),
    fc.constantFrom(
      '__proto__',
      'constructor',
      'toString',
      '10042',
      'true',
      'null',
      '1e3',
      '客户',
      'a b',
      '~',
      '=',
      '-',
    ),
  );
  const config = fc.record({
    total_hosts: fc.integer({ min: 8, max: 4096 }),
    default_shard_size: fc.integer({ min: 1, max: 8 }),
    customer: fc.dictionary(key, fc.record({ shard_size: fc.integer({ min: 1, max: 8 }) }), { noNullPrototype: true }),
  });
  // what YAML 1.1 reads otherwise is refused, and not quoted by who writes YAML 1.2
  const string = fc.stringMatching(/^[ -~]{0,20}$/).filter((text) => otherReading(text) === null);
  const scalar = fc.oneof(fc.integer({ min: -99999, max: 99999 }), fc.boolean(), string);
  const runtime = fc.dictionary(fc.stringMatching(/^[a-d]{1,3}[0-9]$/), scalar, { noNullPrototype: true });

  it('reads as the same config, and every key is found in it', () => {
    const property = fc.property(config, runtime, (shuffle_sharding, others) => {
      const bytes = Buffer.from(stringify({ shuffle_sharding, runtime: others }));
      const parsed = parse(bytes);
      assert.deepEqual(parsed.diagnostics, []);
      const sizes = Object.entries(shuffle_sharding.customer).map(([id, { shard_size: size }]) => [id, size] as const);
      assert.deepEqual(new Map(parsed.config?.customers), new Map(sizes));
      assert.deepEqual(new Map(parsed.config?.runtime), new Map<string, Json>(Object.entries(others)));
      for (const [id] of sizes) {
        const position = locateKey(bytes, `shuffle_sharding.customer.${id}.shard_size`);
        const line = bytes.toString().split('\n')[(position?.line ?? 0) - 1] ?? '';
        assert.ok(line.slice((position?.column ?? 0) - 1).startsWith('shard_size'), id);
      }
    });
    fc.assert(property, { numRuns: 300 });
  });
});
