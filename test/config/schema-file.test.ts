import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { shardplane } from '../helpers/daemon.ts';
import { format } from 'prettier';
import { shardConfigSchema } from '../../src/config/schema-file.ts';
import { brief, minimal, parse } from './support.ts';

const root = new URL('../../', import.meta.url);

describe('schemas/shard-config.schema.json', () => {
  const file = new URL('schemas/shard-config.schema.json', root);

  it('is the schema that the daemon enforces (UPDATE=1 writes it)', async () => {
    const expected = await format(JSON.stringify(shardConfigSchema), { parser: 'json', printWidth: 120 });
    if (process.env['UPDATE'] === '1') writeFileSync(file, expected);
    assert.equal(readFileSync(file, 'utf8'), expected);
  });

  it('has a title and a description for every key, which editors show', () => {
    for (const [path, schema] of properties(shardConfigSchema, '')) {
      assert.equal(typeof schema['title'], 'string', path);
      assert.equal(typeof schema['description'], 'string', path);
    }
  });
});

type Schema = Readonly<Record<string, unknown>>;

function* properties(schema: Schema, path: string): Generator<[string, Schema]> {
  const named = Object.entries((schema['properties'] ?? {}) as Record<string, Schema>);
  const others = schema['additionalProperties'];
  if (typeof others === 'object') named.push(['*', others as Schema]);
  for (const [name, inner] of named) {
    yield [`${path}.${name}`, inner];
    yield* properties(inner, `${path}.${name}`);
  }
}

describe('config/shard-config.example.yaml', () => {
  const text = readFileSync(new URL('config/shard-config.example.yaml', root), 'utf8');

  it('is valid, and holds what the demo starts with', () => {
    const { config, diagnostics } = parse(text);
    assert.deepEqual(diagnostics, []);
    assert.equal(config?.totalHosts, 8);
    assert.equal(config.defaultShardSize, 2);
    assert.deepEqual(Object.fromEntries(config.customers), { 'customer-A': 2, 'customer-B': 2, 'customer-C': 2 });
    assert.equal(config.hosts?.length, 8);
  });

  it('names the schema for editors, which the command that it names writes beside a copy of it', async () => {
    const files = { 'shard-config': 'schemas/shard-config.schema.json', shardplane: 'schemas/settings.schema.json' };
    for (const [name, schema] of Object.entries(files)) {
      const example = readFileSync(new URL(`config/${name}.example.yaml`, root), 'utf8');
      const [, address = ''] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(example) ?? [];
      const [, args = '', file] = /`shardplane (schema[ a-z]*) > (\S+)`/.exec(example) ?? [];
      assert.equal(file, address);
      const { stdout, code } = await shardplane(args.split(' '));
      assert.equal(code, 0);
      assert.equal(stdout, readFileSync(new URL(schema, root), 'utf8'));
    }
  });
});

describe('docs/file-reference.md', () => {
  const text = readFileSync(new URL('docs/file-reference.md', root), 'utf8');

  it('has a section for every key', () => {
    for (const [path] of properties(shardConfigSchema, '')) {
      const key = path.slice(1).replace('customer.*', 'customer.<id>').replace('runtime.*', 'runtime.<key>');
      assert.ok(text.includes(`\`${key}\``), key);
    }
  });

  it('has examples that are valid', () => {
    const examples = [...text.matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1] ?? '');
    assert.notEqual(examples.length, 0);
    for (const example of examples) {
      const whole = example.includes('shuffle_sharding:') ? example : `${minimal}${example}`;
      assert.deepEqual(brief(parse(whole).diagnostics), [], example);
    }
  });
});
