import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { matchesSan, parseSans } from '../../src/xds/san.ts';

describe('xds.tls.san', () => {
  const cases: [rule: string, node: string, names: string | undefined, expected: boolean][] = [
    ['{node}', 'edge-1', 'DNS:edge-1', true],
    ['{node}', 'edge-1', 'DNS:edge-10', false],
    ['{node}', 'edge-1', 'DNS:other, DNS:edge-1', true],
    ['{node}.example.com', 'edge-1', 'DNS:edge-1.example.com', true],
    ['{node}.example.com', 'edge.1', 'DNS:edgeX1.example.com', false],
    ['{node}', '*', 'DNS:anything', false],
    ['{node}', '.*', 'DNS:anything', false],
    ['{node}', '', 'DNS:anything', false],
    ['spiffe://example.com/*/{node}', 'a', 'URI:spiffe://example.com/x/y/a', true],
    ['*.edge.example.com', 'a', 'DNS:eu.edge.example.com', true],
    ['*.edge.example.com', 'a', 'DNS:eu.edge.example.com.evil.org', false],
    ['10.0.0.1', 'a', 'IP Address:10.0.0.1', true],
    ['10.0.0.1', 'a', 'IP Address:10a0b0c1', false],
    ['{node}', 'a', undefined, false],
    // A value that tries to look like two is quoted by Node.
    ['{node}', 'admin', 'URI:"http://x/, DNS:admin"', false],
    ['uri:{node}', 'http://x/, DNS:admin', 'URI:"http://x/, DNS:admin"', true],
    // A rule is for one type: the one that it names, or that it looks like.
    ['spiffe://example.com/{node}', 'a', 'DNS:spiffe://example.com/a', false],
    ['uri:spiffe://example.com/{node}', 'a', 'DNS:spiffe://example.com/a', false],
    ['uri:spiffe://example.com/{node}', 'a', 'URI:spiffe://example.com/a', true],
    ['dns:{node}.example.com', 'a', 'DNS:a.example.com', true],
    ['dns:{node}.example.com', 'a', 'URI:a.example.com', false],
    ['{node}.example.com', 'a', 'URI:a.example.com', false],
    ['{node}', '10.0.0.1', 'IP Address:10.0.0.1', false],
    ['ip:{node}', '10.0.0.1', 'IP Address:10.0.0.1', true],
    ['2001:db8::1', 'a', 'IP Address:2001:db8::1', true],
    ['{node}@example.com', 'a', 'email:a@example.com', true],
    ['email:*', 'a', 'DNS:a', false],
    // Compared as text, however long and odd the node.id is.
    ['{node}', 'x'.repeat(300_000), 'DNS:a', false],
    ['{node}', 'a{node}', 'DNS:a{node}', true],
    ['a*b*c', 'x', 'DNS:abc', true],
    ['a*b*c', 'x', 'DNS:acb', false],
    ['ab*bc', 'x', 'DNS:abc', false],
  ];
  for (const [rule, node, names, expected] of cases) {
    it(`${rule} for node ${node.slice(0, 40) || '(empty)'} and ${names ?? 'no names'}: ${expected ? 'yes' : 'no'}`, () => {
      assert.equal(matchesSan(rule, node, names), expected);
    });
  }

  it('takes the extension apart', () => {
    const sans = parseSans('DNS:a, URI:spiffe://x/y, IP Address:::1, DNS:"od\\u0022d, one", email:a@b.c');
    assert.deepEqual(
      sans.map(({ type, value }) => `${type} ${value}`),
      ['DNS a', 'URI spiffe://x/y', 'IP Address ::1', 'DNS od"d, one', 'email a@b.c'],
    );
  });
});
