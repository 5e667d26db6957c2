import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse as parseYaml } from 'yaml';
import { editCustomers, type CustomerChange } from '../../src/config/edit.ts';
import { parse } from './support.ts';

const edit = (text: string, changes: Record<string, CustomerChange>): string | null =>
  editCustomers(Buffer.from(text), new Map(Object.entries(changes)))?.toString() ?? null;

const file = `# our fleet
shuffle_sharding:
  total_hosts: 8   # racks 1 to 4
  default_shard_size: 2
  customer:
    # the big ones
    acme.com: {shard_size: 3}   # since May
    "10042":  { "shard_size" : 4, }

    b:
      shard_size: 5 # five
      # more of b
    c: {
      shard_size: 2   # a brace on a line of its own
    }
# the end
runtime:
  a.b: 1
`;

test('a deal is one more key in an entry of any style, and all else stays byte for byte', () => {
  assert.equal(
    edit(file, { 'acme.com': { deal: 1 }, '10042': { deal: 2 }, b: { deal: 3 }, c: { deal: 4 } }),
    file
      .replace('{shard_size: 3}', '{shard_size: 3, deal: 1}')
      .replace('4, }', '4, deal: 2, }')
      .replace('5 # five\n', '5 # five\n      deal: 3\n')
      .replace('size: 2   # a', 'size: 2, deal: 4   # a'),
  );
});

test('a deal that is there is replaced', () => {
  const dealt = file
    .replace('{shard_size: 3}', '{shard_size: 3, deal: 1}')
    .replace('5 # five', '5\n      deal: 7 # old');
  assert.equal(
    edit(dealt, { 'acme.com': { deal: 12 }, b: { deal: 8 } }),
    dealt.replace('deal: 1}', 'deal: 12}').replace('deal: 7 #', 'deal: 8 #'),
  );
});

test('a customer that has no entry gets one, behind the last', () => {
  const entry = { quarantine: true, quarantine_until: '2026-12-24T18:00:00Z' };
  const written = '{quarantine: true, quarantine_until: "2026-12-24T18:00:00Z"}';
  assert.equal(edit(file, { new: entry }), file.replace('\n    }\n', `\n    }\n    new: ${written}\n`));
  assert.match(
    edit(file, { 'a, b: c': entry, '7': entry, yes: entry }) ?? '',
    /\n {4}"7": .*\n {4}"a, b: c": .*\n {4}"yes": /,
  );
  const none = 'shuffle_sharding:\n  total_hosts: 8\n  default_shard_size: 2\n';
  assert.equal(edit(none, { new: entry }), `${none}  customer: {new: ${written}}\n`);
  assert.equal(edit(`${none}  customer: {}\n`, { new: entry }), `${none}  customer: {new: ${written}}\n`);
  assert.equal(edit(none.trimEnd(), { new: { deal: 1 } }), `${none}  customer: {new: {deal: 1}}`);
});

test('JSON stays JSON, and CRLF and a byte order mark stay', () => {
  const json =
    '{"shuffle_sharding": {"total_hosts": 8, "default_shard_size": 2, "customer": {"a": {"shard_size": 1}}}}';
  const edited = edit(json, { a: { deal: 1 }, b: { quarantine: true } });
  assert.deepEqual(JSON.parse(edited ?? ''), {
    shuffle_sharding: {
      total_hosts: 8,
      default_shard_size: 2,
      customer: { a: { shard_size: 1, deal: 1 }, b: { quarantine: true } },
    },
  });
  const windows = `\ufeff${file.replaceAll('\n', '\r\n')}`;
  const changed = edit(windows, { b: { deal: 3 }, new: { deal: 1 } });
  assert.equal(
    changed,
    windows.replace('five\r\n', 'five\r\n      deal: 3\r\n').replace('    }\r\n', '    }\r\n    new: {deal: 1}\r\n'),
  );
});

test('keys are taken away with their lines or commas, and so is an entry that has none left', () => {
  const gone = { quarantine: null, quarantine_until: null };
  const text = `shuffle_sharding:
  total_hosts: 8
  default_shard_size: 2
  quarantine_hosts: 1
  customer:
    a: {quarantine: true, shard_size: 3, quarantine_until: "2026-12-24T18:00:00Z"} # a
    # of b
    b: {quarantine: true} # b
    c:
      quarantine: true # c
      shard_size: 4
`;
  assert.equal(
    edit(text, { a: gone, b: gone, c: gone, nobody: gone }),
    text
      .replace('{quarantine: true, shard_size: 3, quarantine_until: "2026-12-24T18:00:00Z"}', '{shard_size: 3}')
      .replace('    b: {quarantine: true} # b\n', '')
      .replace('      quarantine: true # c\n', ''),
  );
  const alone = 'shuffle_sharding:\n  customer:\n    b:\n      quarantine: true\n  total_hosts: 8\n';
  assert.equal(edit(alone, { b: gone }), 'shuffle_sharding:\n  total_hosts: 8\n');
});

test('what is written in a way that it does not change is left to a person', () => {
  for (const text of ['', 'a: [', '- a', 'shuffle_sharding: 7', 'shuffle_sharding: {customer: 7}', '\0'])
    assert.equal(edit(text, { a: { deal: 1 } }), null, text);
  assert.equal(edit('shuffle_sharding:\n  customer:\n    ? a\n    : {deal: 1}\n', { b: { deal: 1 } }), null);
  assert.equal(edit('shuffle_sharding:\n  customer:\n    a: {deal: {b: 1}}\n', { a: { deal: 1 } }), null);
});

const id = fc.oneof(
  fc.constantFrom(
    'acme.com',
    'b',
    'yes',
    '10042',
    '0x1f',
    'a: b',
    "it's",
    '"',
    'x{y}',
    '客户',
    '# no',
    '- a',
    '~',
    'null',
    '&a',
    '*',
    '%',
  ),
  fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 6 })
    .filter((text) => /^[^\s\p{C}\p{Z}](?:[^\p{C}\p{Z}]|(?<=\S) (?=\S))*$/u.test(text)),
);
const comment = fc.constantFrom('', ' # why', '   # a: {b}', '  #');
const styles: readonly ((key: string, size: number, note: string) => string)[] = [
  (key, size, note) => `    ${key}: {shard_size: ${size}}${note}\n`,
  (key, size, note) => `    ${key}:  { shard_size: ${size} }${note}\n`,
  (key, size, note) => `    ${key}:${note}\n      shard_size: ${size}${note}\n`,
  (key, size, note) => `    ${key}:\n         # inside\n         shard_size: ${size}\n\n${note.trim()}\n`,
  (key, size, note) => `    ${key}: {${note}\n      "shard_size": ${size},${note}\n     }\n`,
];
const entries = fc.uniqueArray(
  fc.record({ name: id, size: fc.integer({ min: 1, max: 8 }), style: fc.nat(4), note: comment }),
  {
    selector: ({ name }) => name,
    maxLength: 12,
  },
);

test('whatever the ids, styles and comments are: the deals are there, and without them the file is as it was', () => {
  let changed = 0;
  fc.assert(
    fc.property(entries, fc.array(id, { maxLength: 3 }), fc.boolean(), (written, others, windows) => {
      const body = written
        .map(({ name, size, style, note }) => styles[style]!(JSON.stringify(name), size, note))
        .join('');
      const head = '# top\nshuffle_sharding:\n  total_hosts: 8\n  default_shard_size: 2 # two\n';
      const plain = `${head}${body === '' ? '' : `  customer:\n    # all\n${body}`}  # end\nruntime:\n  a.b: x\n`;
      const text = windows ? plain.replaceAll('\n', '\r\n') : plain;
      fc.pre(parse(text).diagnostics.length === 0);
      const names = [...written.filter((_, i) => i % 2 === 0).map(({ name }) => name), ...others];
      const edited = edit(text, Object.fromEntries(names.map((name, i) => [name, { deal: 1 + i }])));
      assert.ok(edited !== null);
      const { config, diagnostics } = parse(edited);
      if (diagnostics.some(({ code }) => code === 'key-clash')) return;
      assert.deepEqual(diagnostics, []);
      const deals = new Map(names.map((name, i) => [name, 1 + i]));
      assert.deepEqual(new Map([...(config?.deals ?? [])].toSorted()), new Map([...deals].toSorted()));
      assert.deepEqual(config?.customers, parse(text).config?.customers);
      assert.deepEqual((parseYaml(edited) as { runtime: unknown }).runtime, { 'a.b': 'x' });
      assert.equal(edit(edited, Object.fromEntries(names.map((name) => [name, { deal: null }]))), text);
      changed += names.length;
    }),
    { numRuns: 400 },
  );
  assert.ok(changed > 500, `${changed}`);
});
