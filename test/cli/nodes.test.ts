import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatNodes, selectNodes, toMatcher } from '../../src/cli/nodes.ts';
import type { NodeStatus } from '../../src/http/api.ts';

function node(id: string, state: string, words: string | null = null): NodeStatus {
  return {
    id,
    cluster: 'edge',
    version: state === 'pending' ? null : 'a'.repeat(40),
    state: state as NodeStatus['state'],
    refusal: words === null ? null : { code: 13, message: words },
    connectedSince: '2026-01-01T00:00:00.000Z',
    locality: '',
    userAgent: 'envoy 1.40.0',
    address: '127.0.0.1:1',
    dialect: 'sotw',
    resources: ['runtime'],
    vote: 'full',
    duplicate: false,
    wave: false,
    load: null,
    unserved: null,
  };
}

const fleet = [
  ...Array.from({ length: 47 }, (_, at) => node(`edge-${50 - at}`, 'acked')),
  node('edge-3', 'unanswered'),
  node('edge-2', 'pending'),
  node('edge-1', 'refusing', 'Invalid runtime entry value for a.b'),
];

test('what is wrong comes first, then by number; the rest is counted', () => {
  const options = { limit: 5, color: false, indent: '  ' };
  assert.deepEqual(formatNodes(selectNodes(fleet, {}), options), [
    '  edge-1  aaaaaaaaaaaa  refusing: Invalid runtime entry value for a.b',
    '  edge-3  aaaaaaaaaaaa  unanswered',
    '  edge-2  -             pending',
    '  edge-4  aaaaaaaaaaaa  acked',
    '  edge-5  aaaaaaaaaaaa  acked',
    '  ... and 45 more acked: --limit 50 shows all',
  ]);
});

test('nodes that report their load show requests a second and errors', () => {
  const loads = [
    { requests: 750, errors: 3, seconds: 60 },
    { requests: 60_000_000, errors: 6_000, seconds: 60 },
    { requests: 0, errors: 0, seconds: 10 },
    { requests: 1, errors: 1, seconds: 60 },
    null,
  ];
  const nodes = loads.map((load, at) => ({ ...node(`n${at}`, 'acked'), load }));
  assert.deepEqual(formatNodes(nodes, { limit: 5, color: false, indent: '' }), [
    'n0  aaaaaaaaaaaa  12.5 req/s, 0.4 % errors       acked',
    'n1  aaaaaaaaaaaa  1,000,000 req/s, 0.1 % errors  acked',
    'n2  aaaaaaaaaaaa  0 req/s                        acked',
    'n3  aaaaaaaaaaaa  0.1 req/s, 100 % errors        acked',
    'n4  aaaaaaaaaaaa                                 acked',
  ]);
});

test('a state that is not known here comes before what is well', () => {
  const states = selectNodes([node('a', 'acked'), node('b', 'muted'), node('c', 'refusing')], {});
  assert.deepEqual(
    states.map(({ id }) => id),
    ['c', 'b', 'a'],
  );
});

test('an unserved node says what it asks for', () => {
  const unserved = {
    ...node('a', 'unserved'),
    version: null,
    unserved: 'asks for resource x; only RTDS resource runtime is served',
  };
  assert.deepEqual(formatNodes([unserved], { limit: 5, color: false, indent: '' }), [
    'a  -             unserved: it asks for resource x; only RTDS resource runtime is served',
  ]);
});

test('nodes are chosen by id and by state', () => {
  const ids = (filter: Parameters<typeof selectNodes>[1]): string[] => selectNodes(fleet, filter).map(({ id }) => id);
  assert.deepEqual(ids({ node: 'edge-?', nodeState: 'acked' }), [
    'edge-4',
    'edge-5',
    'edge-6',
    'edge-7',
    'edge-8',
    'edge-9',
  ]);
  assert.deepEqual(ids({ node: '*-1' }), ['edge-1']);
  assert.deepEqual(ids({ node: 'edge' }), []);
});

test('a pattern is plain text but for * and ?', () => {
  const cases: [glob: string, text: string, fits: boolean][] = [
    ['*', '', true],
    ['', 'a', false],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-b-b', false],
    ['a.c', 'abc', false],
    ['(a+)+', '(a+)+', true],
    ['[ab]', 'a', false],
    ['?', '', false],
    ['**a', 'ba', true],
  ];
  for (const [glob, text, fits] of cases) assert.equal(toMatcher(glob)(text), fits, `${glob} ${text}`);
  assert.equal(toMatcher(`${'*a'.repeat(500)}b`)('a'.repeat(10_000)), false, 'in bounded time');
});

test('words of an Envoy without end are cut', () => {
  const [line = ''] = formatNodes([node('a', 'refusing', 'x'.repeat(5_000))], { limit: 1, color: false, indent: '' });
  assert.ok(line.length < 400, line);
  assert.match(line, /x… \(--json has all\)$/);
});
