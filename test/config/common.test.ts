import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readCommon } from '../../src/config/common.ts';
import { parseClosely, parseConfig } from '../../src/config/parse.ts';
import { Places } from '../../src/config/place.ts';
import { compileSchema } from '../../src/config/schema.ts';
import { decodeText } from '../../src/config/text.ts';
import { toTree } from '../../src/config/tree.ts';
import { readYaml } from '../../src/config/yaml.ts';
import { builtin, fixtureNames, minimal, readFixture } from './support.ts';

const anything = compileSchema({});

/** What yaml.ts and tree.ts make of it, or null where they find a fault. */
function readClosely(text: string): unknown {
  const places = new Places(text);
  const yaml = readYaml(text, places);
  if ('faults' in yaml) return null;
  const { data, faults } = toTree(yaml.root, text, { places });
  return faults.length > 0 ? null : data;
}

/** True where the quick way was taken. */
function compare(source: string): boolean {
  const decoded = decodeText(Buffer.from(source));
  const bytes = Buffer.from(source);
  const options = { file: 'f', validate: builtin };
  assert.deepEqual(parseConfig(bytes, options), parseClosely(bytes, options), source);
  const loose = { ...options, validate: anything };
  assert.deepEqual(parseConfig(bytes, loose), parseClosely(bytes, loose), source);
  if ('fault' in decoded) return false;
  const quick = readCommon(decoded.text);
  if (quick === null) return false;
  assert.deepEqual(quick, readClosely(decoded.text), JSON.stringify(source));
  return true;
}

const plain = fc.constantFrom(
  '1',
  '25',
  '1.5',
  'true',
  'a',
  'a b',
  '127.0.0.1:8001',
  '"[::1]:80"',
  '{a: 1}',
  '[a, b]',
  'é',
);
const odd = fc.oneof(
  fc.constantFrom(
    ...[
      '0',
      '007',
      '0755',
      '1.50',
      '1e3',
      '1e+21',
      '0x1f',
      '0o17',
      '12:30',
      '1_0',
      '1.',
      '-1',
      '+1',
      '99999999999999999999',
    ],
    ...[
      'False',
      'null',
      '~',
      'yes',
      'No',
      'on',
      'y',
      '.nan',
      '-',
      '[::1]:80',
      'a:b',
      'a: b',
      'a:',
      'a  b c',
      'a #b',
      'a#b',
    ],
    ...[
      '# c',
      'a ',
      "'a'",
      '""',
      '"a\\n"',
      "'a''b'",
      '"a" b',
      '{}',
      '[]',
      '{ a: 1, b: c }',
      '{a:1}',
      '{a: 1,}',
      '[ a,b ]',
    ],
    ...[
      '[127.0.0.1:80, "b"]',
      '[a, [b]]',
      '[a',
      '{a: b',
      '{"a": 1}',
      '{"a":1}',
      '{a: 1, a: 2}',
      '{a: b c}',
      '{a: b:c}',
    ],
    ...['[a: b]', '&a b', '*a', '!x y', '|', '>', '%', '@a', '`a', 'a\ufeff', '客户', '\u2028', '\u00a0'],
  ),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.stringMatching(/^[A-Za-z0-9_./@+~:-]{1,8}$/),
);
const scalar = fc.oneof({ weight: 4, arbitrary: plain }, { weight: 1, arbitrary: odd });
const oddKey = fc.constantFrom(
  ...['1', '1a', 'null', 'true', '<<', '__proto__', '0x1', '1e5', '1e5a', '"1"', 'no', 'é'],
);
const key = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^[a-z][A-Za-z0-9_.-]{1,4}$/) },
  { weight: 1, arbitrary: oddKey },
);
const oddEnd = fc.constantFrom('\r\n', ' \n', ' # c\n', '\t\n', '\n\n', '\n  # c\n', '', '\r', '#c\n');
const end = fc.oneof({ weight: 8, arbitrary: fc.constant('\n') }, { weight: 1, arbitrary: oddEnd });
const indent = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('', '', '', '  ') },
  { weight: 1, arbitrary: fc.constantFrom('    ', ' ', '\t') },
);
const colon = fc.oneof(
  { weight: 8, arbitrary: fc.constant(': ') },
  { weight: 1, arbitrary: fc.constantFrom(':', ':  ', ' : ') },
);
const oddLine = fc.constantFrom('...\n', '%YAML 1.2\n', '   \n', '? a\n', '--- a\n', '---\n', '# c\n', '\n');
const line = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(indent, key, colon, scalar, end) },
  {
    weight: 3,
    arbitrary: fc.tuple(indent, key, fc.constantFrom(':\n  b: ', ':\n- ', ':\n  - ', ':\n    d:\n      '), scalar, end),
  },
  { weight: 1, arbitrary: fc.tuple(indent, fc.constantFrom('- ', '- ', '-', '-   '), scalar, end) },
  { weight: 1, arbitrary: fc.tuple(oddLine) },
);
const anyText = fc.array(line, { maxLength: 5 }).map((lines) => lines.flat().join(''));

describe('the quick way to read a file', () => {
  it('agrees with the close one on random lines', () => {
    let quick = 0;
    fc.assert(
      fc.property(anyText, (text) => {
        if (compare(text)) quick++;
      }),
      { numRuns: 3000 },
    );
    assert.ok(quick > 200, `only ${quick} were read the quick way`);
  });

  it('agrees with the close one on a file with some of it cut, doubled or replaced', () => {
    const valid = `---\n# c\n${minimal}  customer:\n    a: {shard_size: 3}\n    "b.c":\n      shard_size: 1 # c\n\n    'x y': { shard_size: 2 }\n  hosts:\n  - 127.0.0.1:1\n  - "[::1]:2"\nruntime:\n  f.percent: 25\n  s: some words\n  r: 0.5\n  t: true\n`;
    assert.ok(compare(valid));
    const put = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 2 }),
      fc.constantFrom('', '\n', ' ', '  ', ':', '{', '}', ',', '"', '-', '#'),
    );
    const edits = fc.array(fc.record({ at: fc.nat(valid.length), cut: fc.nat(4), put }), {
      minLength: 1,
      maxLength: 3,
    });
    let quick = 0;
    fc.assert(
      fc.property(edits, (changes) => {
        let text = valid;
        for (const { at, cut, put: piece } of changes) text = text.slice(0, at) + piece + text.slice(at + cut);
        if (compare(text)) quick++;
      }),
      { numRuns: 3000 },
    );
    assert.ok(quick > 100, `only ${quick} were read the quick way`);
  });

  it('agrees with the close one on every fixture', () => {
    for (const name of fixtureNames) compare(readFixture(name).toString());
  });

  it('gives up where the close one counts too many tokens', () => {
    const customers = (count: number): string =>
      `${minimal}  customer:\n${Array.from({ length: count }, (_, i) => `    c${i}: {shard_size: 1}\n`).join('')}`;
    const { diagnostics } = parseConfig(Buffer.from(customers(150_000)), { file: 'f', validate: builtin });
    assert.deepEqual(
      diagnostics.map(({ code }) => code),
      ['file-too-large'],
    );
    assert.notEqual(readCommon(customers(140_000)), null);
  });
});
