import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { parseSettings as parseBytes } from '../../src/settings/parse-settings.ts';

const parseSettings = (text: string, name: string) => parseBytes(Buffer.from(text), name).file;

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly default?: unknown;
}

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const schema = JSON.parse(read('schemas/settings.schema.json')) as SchemaNode;

/** `a.b` to its default (`required`, where it must be given) for each setting that is a value. */
function settingsOf({ properties = {}, required = [] }: SchemaNode, prefix = ''): [path: string, value: unknown][] {
  return Object.entries(properties).flatMap(([key, child]): [string, unknown][] => {
    if (child.properties) return settingsOf(child, `${prefix}${key}.`);
    return [[prefix + key, required.includes(key) ? 'required' : child.default]];
  });
}

test('docs/settings.md names every setting, with its default', () => {
  const rows = read('docs/settings.md').match(/^\| `.*$/gm) ?? [];
  const known = new Map(
    rows.flatMap((row) => {
      const [names = '', value] = row.slice(2).split(' | ');
      return names.split(', ').map((name) => [name.slice(1, -1), value] as const);
    }),
  );
  for (const [path, value] of settingsOf(schema)) {
    const shown =
      value === 'required' ? 'required' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
    assert.equal(known.get(path), shown, path);
  }
});

test('docs/settings.md and the example name no setting that there is not', () => {
  const all = settingsOf(schema).map(([path]) => path);
  const isKnown = (path: string): boolean => all.some((setting) => setting === path || setting.startsWith(`${path}.`));
  const named =
    read('docs/settings.md').match(/`(repository|xds|release|plan|rollout|http|status|state|log)\.[a-z_.]+`/g) ?? [];
  assert.deepEqual(
    named.map((name) => name.slice(1, -1)).filter((path) => !isKnown(path)),
    [],
  );
});

test('the example has every setting: at its default, or commented out', () => {
  const text = read('config/shardplane.example.yaml');
  assert.deepEqual(parseSettings(text, 'example'), parseSettings('', 'nothing'));
  const all: unknown = parse(text.replaceAll(/^( *)# (?= *[a-z_]+:( |$))/gm, '$1'));
  for (const [path] of settingsOf(schema)) {
    const value = path.split('.').reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], all);
    assert.notEqual(value, undefined, path);
  }
});
