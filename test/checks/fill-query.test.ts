import assert from 'node:assert/strict';
import test from 'node:test';
import { fillQuery } from '../../src/checks/fill-query.ts';

const version = '0123456789abcdef0123456789abcdef01234567.2';

test('the version and the nodes are filled in, wherever they are', () => {
  const query = 'sum(a{node=~"{{nodes}}"}) / sum(b{node=~"{{nodes}}",v="{{version}}"})';
  assert.equal(
    fillQuery(query, { version, nodes: ['edge-1', 'edge-2.eu'] }),
    `sum(a{node=~"(?:edge-1|edge-2[.]eu)"}) / sum(b{node=~"(?:edge-1|edge-2[.]eu)",v="${version}"})`,
  );
  assert.equal(fillQuery('{{nodes}}', { version, nodes: null }), '.+');
  assert.equal(fillQuery('up{{other}} $& {{version}}', { version, nodes: null }), `up{{other}} $& ${version}`);
});

test('a node id is matched as it is, and cannot leave its string', () => {
  const patternOf = (node: string) => fillQuery('{{nodes}}', { version, nodes: [node] });
  const cases: [string, string][] = [
    ['a.b*c+d?e|f(g)h[i]j{k}l$', '(?:a[.]b[*]c[+]d[?]e[|]f[(]g[)]h[[]i[]]j[{]k[}]l[$])'],
    [`a"b'c\`d\\e^f\n`, String.raw`(?:a\\x{22}b\\x{27}c\\x{60}d\\x{5c}e\\x{5e}f\\x{a})`],
    ['客户-1 ☃', String.raw`(?:客户-1 \\x{2603})`],
  ];
  for (const [node, pattern] of cases) assert.equal(patternOf(node), pattern);
});

test('where it cannot name the nodes it says so, and names no others instead', () => {
  assert.throws(() => fillQuery('{{nodes}}', { version, nodes: [] }), /^Error: no node of the wave is connected/);
  const nodes = Array.from({ length: 5000 }, (_, at) => `edge-${at}.some-region.example.internal`);
  assert.ok(fillQuery('{{nodes}}', { version, nodes }).length > 150_000);
  assert.throws(
    () => fillQuery('{{nodes}}', { version, nodes: [...nodes, ...nodes] }),
    /^Error: the wave has 10000 nodes, more than a query can name/,
  );
  assert.equal(fillQuery('{{version}}', { version, nodes: [] }), version);
});
