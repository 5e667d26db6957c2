import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drawDiagnostic } from '../../src/terminal.ts';
import type { Diagnostic } from '../../src/config/diagnostic.ts';
import { minimal, parse } from './support.ts';

const noHosts = 'shuffle_sharding:\n  default_shard_size: 1\n';
const noBreak = 'column 1 of this line is a no-break space (U+00A0), which YAML takes for a letter: write usual spaces';
const missingSpace = 'a space is missing behind the colon: write shard_size: 3';
const quoteAddress = 'put an IPv6 address in quotes: "[2001:db8::1]:9001"';
const belongs = 'it belongs under shuffle_sharding: indent it, and put it there';

const slips: readonly [what: string, text: string, place: string, hint: string][] = [
  ['.nan', `${minimal}runtime:\n  a: .nan\n`, '5:6', '.nan is not a number: quote it to push it as a string'],
  [
    'an unclosed {',
    `${minimal}  customer:\n    a: {shard_size: 3\n    b: {shard_size: 2}\n`,
    '5:8',
    'write } where the mapping ends',
  ],
  [
    'an unclosed { at the end',
    `${minimal}  customer: {\n    a: {shard_size: 3},\n`,
    '4:13',
    'write } where the mapping ends',
  ],
  ['an unclosed [', `${noHosts}  hosts: ["1.2.3.4:80"\nruntime: {}\n`, '3:10', 'write ] where the list ends'],
  [
    'a } too far left',
    `${minimal}  customer: {\n    a: {shard_size: 3}\n}\n`,
    '6:1',
    'put it further in than the key that the brackets belong to',
  ],
  ['{shard_size:3}', `${minimal}  customer:\n    a: {shard_size:3}\n`, '5:9', missingSpace],
  ['shard_size:3 on its line', `${minimal}  customer:\n    a:\n      shard_size:3\n`, '6:7', missingSpace],
  ['a bare IPv6 address', `${noHosts}  hosts:\n  - [2001:db8::1]:9001\n`, '4:18', quoteAddress],
  ['a bare IPv6 address in a list', `${noHosts}  hosts: [[2001:db8::1]:9001]\n`, '3:11', quoteAddress],
  [
    'no-break spaces as indentation',
    `shuffle_sharding:\n\u00a0\u00a0total_hosts: 8\n  default_shard_size: 2\n`,
    '2:16',
    noBreak,
  ],
  ['a no-break space before a key', `${minimal}\u00a0 customer: {}\n`, '4:1', noBreak],
  ['customer: at the top', `${minimal}customer:\n  a: {shard_size: 3}\n`, '4:1', belongs],
  [
    'a customer beside customer:',
    `${minimal}  customer:\n    a: {shard_size: 3}\n  customer-B: {shard_size: 3}\n`,
    '6:3',
    'it belongs under customer: indent it, and put it there',
  ],
  ['a runtime key at the top', `${minimal}my.percent: 3\n`, '4:1', 'other runtime keys belong under runtime:'],
];

describe('a slip gets the hint that helps', () => {
  for (const [what, text, place, hint] of slips)
    it(what, () => {
      const [first] = parse(text).diagnostics;
      assert.equal(`${first?.line}:${first?.column}`, place);
      assert.equal(first?.hint, hint);
    });

  it('a no-break space that is text is left alone', () => {
    const [first] = parse(`${minimal}runtime:\n  a: {b: "x\u00a0y"} #\u00a0c\n`).diagnostics;
    assert.doesNotMatch(first?.hint ?? '', /U\+00A0/);
  });
});

it('hosts are counted from 1', () => {
  const { diagnostics } = parse(`${noHosts}  hosts: [x:1, 127.0.0.1:80, {address: "y:2"}, {drain: 1}]\n`);
  assert.deepEqual(
    diagnostics.map(({ message }) => message),
    [
      'host 1: "x:1" is not an IP address',
      `host 3's address: "y:2" is not an IP address`,
      'host 4 lacks the key "address"',
      "host 4's drain must be a boolean, not 1",
    ],
  );
  const twice = parse(`${noHosts}  hosts: [127.0.0.1:80, 127.0.0.1:80]\n`).diagnostics;
  assert.deepEqual(
    twice.map(({ message }) => message),
    ['"127.0.0.1:80" is already host 1'],
  );
});

it('a customer id has no character that is not seen', () => {
  for (const id of ['a\u200bb', 'a\u2060', '\u00adb', 'a\u00a0b', 'a\u202eb', '\u{e0041}x']) {
    const { diagnostics } = parse(`${minimal}  customer:\n    "${id}": {shard_size: 2}\n`);
    assert.match(diagnostics[0]?.message ?? '', /has an invisible character, U\+/, id);
    assert.equal(diagnostics[0]?.line, 5);
  }
  assert.deepEqual(
    parse(`${minimal}  customer:\n    "a b": {shard_size: 2}\n    é客😀: {shard_size: 2}\n`).diagnostics,
    [],
  );
});

it('nothing is pointed at that is not at fault', () => {
  const base = { message: 'm', file: 'f', hint: null };
  const drawn = (diagnostic: Pick<Diagnostic, 'code' | 'line' | 'column'>): string =>
    drawDiagnostic({ ...base, ...diagnostic }, minimal, { color: false });
  for (const code of ['held', 'signature-missing', 'refused', 'too-costly'] as const)
    assert.doesNotMatch(drawn({ code, line: 1, column: 1 }), /\^/);
  assert.match(drawn({ code: 'refused', line: 2, column: 3 }), /total_hosts: 8\n +\^/);
  assert.match(drawn({ code: 'schema', line: 1, column: 1 }), /\^/);
});
