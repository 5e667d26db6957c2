import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Ajv } from 'ajv';
import type { ErrorObject } from 'ajv';
import { isMap, LineCounter, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import { SettingsError } from './error.ts';
import type { Settings } from './settings.ts';
import { toSettings } from './to-settings.ts';
import type { SettingsFile } from './to-settings.ts';

/** What the flags of `serve` override. */
export interface SettingsOverrides {
  readonly repository?: string | undefined;
  readonly file?: string | undefined;
  readonly ref?: string | undefined;
  readonly xdsPort?: number | undefined;
  readonly httpPort?: number | undefined;
  readonly state?: string | undefined;
}

/** Where settings are looked for when no `--config` is given, from the working directory. */
export const defaultSettingsPaths = ['config/shardplane.yaml', 'shardplane.yaml'] as const;

const schemaUrl = new URL('../../schemas/settings.schema.json', import.meta.url);

/**
 * Settings from a file (or, with null, from the first default path that exists, or the defaults), flags over them.
 * Throws SettingsError with the file, the line and what is allowed.
 */
export function loadSettings(path: string | null, overrides: SettingsOverrides = {}): Settings {
  const found = path ?? defaultSettingsPaths.find((candidate) => existsSync(candidate)) ?? null;
  const file = found === null ? parseSettings('', 'settings') : parseSettings(readText(found), found);
  // The settings' home: paths in them are relative to it. A file in config/ speaks of the folder above.
  const home = found === null ? process.cwd() : homeOf(resolve(found));
  return toSettings(file, { home, overrides, stateDirectory: process.env['STATE_DIRECTORY'] ?? null });
}

function homeOf(path: string): string {
  const folder = dirname(path);
  return folder.endsWith('/config') ? dirname(folder) : folder;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new SettingsError(
      `cannot read the settings ${path}: ${(error as Error).message}`,
      'check the path given with --config',
    );
  }
}

/** Exported for the tests. Throws SettingsError. */
export function parseSettings(text: string, name: string): SettingsFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [fault] = document.errors;
  if (fault) throw new SettingsError(`${name}:${at(lines, fault.pos[0])}: ${fault.message}`, null);
  const value: unknown = document.toJS({ maxAliasCount: 0 }) ?? {};
  const validate = compileSettingsSchema();
  if (validate(value)) return value as SettingsFile;
  const error = validate.errors?.[0];
  throw error ? toError({ error, document, lines, name }) : new SettingsError(`${name}: not valid`, null);
}

function compileSettingsSchema() {
  const ajv = new Ajv({ useDefaults: true, allowUnionTypes: true, verbose: true });
  return ajv.compile(JSON.parse(readFileSync(schemaUrl, 'utf8')) as object);
}

function toError(context: { error: ErrorObject; document: Document; lines: LineCounter; name: string }): SettingsError {
  const { error, document, lines, name } = context;
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const extra = (error.params as { additionalProperty?: string }).additionalProperty;
  const place = `${name}:${at(lines, offsetOf(document, extra === undefined ? path : [...path, extra]))}`;
  if (extra !== undefined)
    return new SettingsError(`${place}: unknown setting ${[...path, extra].join('.')}`, allowed(error));
  const pattern = error.keyword === 'pattern' && error.schemaPath.includes('duration');
  const words = pattern ? 'must be a duration such as 30s or 500ms' : (error.message ?? 'is not valid');
  const values = (error.params as { allowedValues?: (string | null)[] }).allowedValues;
  const listed = values ? `: ${values.filter((value) => value !== null).join(', ')}` : '';
  return new SettingsError(
    `${place}: ${path.join('.') || 'the settings'} ${words}${listed}`,
    'docs/settings.md lists every setting',
  );
}

function allowed(error: ErrorObject): string {
  const properties = (error.parentSchema as { properties?: object } | undefined)?.properties;
  return properties ? `known here: ${Object.keys(properties).join(', ')}` : 'docs/settings.md lists every setting';
}

function at(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${line || 1}:${col || 1}`;
}

/** The offset of a path's key, or of its nearest parent. */
function offsetOf(document: Document, path: readonly string[]): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const part of path) {
    if (!isMap(node)) break;
    const pair = node.items.find((item) => String(item.key) === part);
    if (!pair) break;
    offset = (pair.key as { range?: [number, number, number] }).range?.[0] ?? offset;
    node = pair.value;
  }
  return offset;
}
