import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { diagnosticCodes } from '../../src/config/diagnostic.ts';
import { maxDiagnostics } from '../../src/config/parse.ts';
import { maxFileBytes } from '../../src/config/text.ts';
import { maxTokens } from '../../src/config/yaml.ts';
import { brief, draw, fixtureNames, matchGolden, minimal, parse, readFixture } from './support.ts';

describe('a file that is named after its fault', () => {
  for (const name of fixtureNames) {
    it(name, () => {
      const bytes = readFixture(name);
      const { config, diagnostics } = parse(bytes);
      assert.equal(config, null);
      assert.notEqual(diagnostics.length, 0);
      matchGolden(name, draw(bytes, diagnostics));
    });
  }
});

it('has a fixture or a test of its own for every code', () => {
  const covered = fixtureNames.flatMap((name) => parse(readFixture(name)).diagnostics.map(({ code }) => code));
  const codes = diagnosticCodes.filter((code) => code !== 'too-costly'); // test/judge/poison.test.ts
  const ofConfig = codes.slice(codes.indexOf('not-utf8'), codes.indexOf('more-faults'));
  assert.deepEqual(new Set(covered), new Set(ofConfig));
});

describe('a valid file', () => {
  it('becomes a config', () => {
    const { config, diagnostics } = parse(`${minimal}
  customer:
    customer-A: {shard_size: 3}
    acme.com: {shard_size: 8}
runtime:
  my_feature.percent: 25
  name: 1.40.0
  exact: "12345678"
  on: true
`);
    assert.deepEqual(diagnostics, []);
    assert.deepEqual(config, {
      totalHosts: 8,
      defaultShardSize: 2,
      customers: new Map([
        ['customer-A', 3],
        ['acme.com', 8],
      ]),
      hosts: null,
      runtime: new Map<string, unknown>([
        ['my_feature.percent', 25],
        ['name', '1.40.0'],
        ['exact', '12345678'],
        ['on', true],
      ]),
    });
  });

  it('may deal customers anew, and set hosts apart', () => {
    const { config, diagnostics } = parse(`${minimal}
  quarantine_hosts: 2
  customer:
    dealt: {deal: 3}
    both: {shard_size: 4, deal: 99999}
    noisy:
      quarantine: true
      quarantine_until: 2026-12-24T19:00:00+01:00
    ended: {shard_size: 1, quarantine: false}
`);
    assert.deepEqual(diagnostics, []);
    assert.deepEqual(config, {
      totalHosts: 8,
      defaultShardSize: 2,
      customers: new Map([
        ['both', 4],
        ['ended', 1],
      ]),
      deals: new Map([
        ['dealt', 3],
        ['both', 99_999],
      ]),
      quarantineHosts: 2,
      quarantined: new Set(['noisy']),
      quarantineUntil: new Map([['noisy', Date.UTC(2026, 11, 24, 18)]]),
      hosts: null,
      runtime: new Map(),
    });
    assert.deepEqual(parse(`${minimal}\n  quarantine_hosts: 0\n`).config, parse(minimal).config);
  });

  it('may drain hosts', () => {
    const { config, diagnostics } = parse(`shuffle_sharding:
  default_shard_size: 1
  hosts: [127.0.0.1:1, {address: 127.0.0.1:2, drain: true}, {address: 127.0.0.1:3, drain: false}, {address: 127.0.0.1:4}]
`);
    assert.deepEqual(diagnostics, []);
    assert.deepEqual(config?.hosts, ['127.0.0.1:1', '127.0.0.1:2', '127.0.0.1:3', '127.0.0.1:4']);
    assert.deepEqual(config.drained, [1]);
  });

  it('may leave total_hosts to the hosts', () => {
    const { config } = parse("shuffle_sharding: {default_shard_size: 1, hosts: [10.0.0.1:80, '[2001:db8::1]:8080']}");
    assert.equal(config?.totalHosts, 2);
    assert.deepEqual(config.hosts, ['10.0.0.1:80', '[2001:db8::1]:8080']);
  });

  it('may begin with a byte order mark and have CRLF line ends', () => {
    assert.equal(parse(`\ufeff${minimal.replaceAll('\n', '\r\n')}`).config?.totalHosts, 8);
  });

  it('may be JSON, and may name its YAML version', () => {
    assert.equal(parse('{"shuffle_sharding":{"total_hosts":8,"default_shard_size":2}}').config?.totalHosts, 8);
    assert.equal(parse(`%YAML 1.2\n---\n${minimal}...\n`).config?.totalHosts, 8);
  });

  it('may have the bounds themselves as values', () => {
    const id = 'x'.repeat(256);
    const { config, diagnostics } = parse(
      `shuffle_sharding: {total_hosts: 4096, default_shard_size: 1024, customer: {${id}: {shard_size: 1024}}}`,
    );
    assert.deepEqual(diagnostics, []);
    assert.equal(config?.customers.get(id), 1024);
  });

  it('may be as large as 16 MiB', () => {
    const comment = `#${' '.repeat(1022)}\n`.repeat(16 * 1024).slice(0, maxFileBytes - minimal.length - 1);
    const bytes = Buffer.from(`${minimal}${comment}\n`);
    assert.equal(bytes.length, maxFileBytes);
    assert.equal(parse(bytes).config?.totalHosts, 8);
  });
});

describe('keys that every object has in JavaScript', () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', '<<'];

  it('are customers like any other', () => {
    const lines = names.map((name, i) => `    "${name}": {shard_size: ${i + 1}}\n`).join('');
    const { config } = parse(`${minimal}  customer:\n${lines}`);
    assert.deepEqual(
      [...(config?.customers ?? [])],
      names.map((name, i) => [name, i + 1]),
    );
    assert.equal(Object.getPrototypeOf({}), Object.prototype);
  });

  it('are runtime keys like any other', () => {
    const { config } = parse(`${minimal}runtime:\n${names.map((name) => `  "${name}": 1\n`).join('')}`);
    assert.deepEqual([...(config?.runtime.keys() ?? [])], names);
  });

  it('do not stand in for keys that are missing', () => {
    const { diagnostics } = parse('__proto__: {shuffle_sharding: {total_hosts: 8, default_shard_size: 2}}\n');
    assert.deepEqual(brief(diagnostics), ['1:1 schema', '1:1 unknown-key']);
  });
});

describe('bounds', () => {
  it('refuses a file over 16 MiB', () => {
    assert.deepEqual(brief(parse(Buffer.alloc(maxFileBytes + 1, '#')).diagnostics), ['1:1 file-too-large']);
  });

  it('refuses a file of too many tokens', () => {
    const { diagnostics } = parse('- \n'.repeat(maxTokens / 3 + 1));
    assert.deepEqual(
      diagnostics.map(({ code }) => code),
      ['file-too-large'],
    );
  });

  it('shows the first diagnostics, and how many more there are', () => {
    const { diagnostics } = parse(`shuffle_sharding: {default_shard_size: 1, hosts: [${'x, '.repeat(150)}]}`);
    assert.equal(diagnostics.length, maxDiagnostics + 1);
    assert.equal(diagnostics.at(-1)?.code, 'more-faults');
    assert.equal(diagnostics.at(-1)?.message, 'and 50 more faults from here on');
  });

  it('refuses nesting that would overflow the stack', () => {
    for (const open of ['[', '{a: ', '- ', '? ']) {
      const { diagnostics } = parse(open.repeat(200_000));
      assert.equal(diagnostics.length, 1, open);
      assert.ok(['too-deep', 'yaml-syntax'].includes(diagnostics[0]?.code ?? ''), open);
    }
  });

  it('takes 100,000 customers', () => {
    const lines = Array.from({ length: 100_000 }, (_, i) => `    customer-${i}:\n      shard_size: ${1 + (i % 8)}\n`);
    const { config } = parse(`${minimal}  customer:\n${lines.join('')}`);
    assert.equal(config?.customers.size, 100_000);
    assert.equal(config.customers.get('customer-99999'), 8);
  });
});
