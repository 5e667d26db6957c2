import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { compileSchema } from '../config/schema.ts';
import type { SchemaValidator } from '../config/schema.ts';
import { SettingsError } from './settings-error.ts';
import { fileFaults } from './files.ts';
import { parseSettings } from './parse-settings.ts';
import { settingsFaults } from './settings-faults.ts';
import type { Settings, SettingsOverrides } from './settings.ts';
import { toSettings } from './to-settings.ts';

/** Where settings are looked for when no `--config` is given, from the working directory. */
export const defaultSettingsPaths = ['config/shardplane.yaml', 'shardplane.yaml'] as const;

/**
 * Loads settings from a file (with null: the first default path that exists, or the defaults), and applies the flags. `files`:
 * check that the files it names can be read. Throws SettingsError with every fault, its line, and what is allowed.
 */
export function loadSettings(
  path: string | null,
  overrides: SettingsOverrides = {},
  { files = false }: { readonly files?: boolean } = {},
): Settings {
  const found = path ?? defaultSettingsPaths.find((candidate) => existsSync(candidate)) ?? null;
  const { file, refuse } = parseSettings(found === null ? new Uint8Array() : readBytes(found), found ?? 'settings');
  // Paths in the settings are relative to their home: their folder, or the one above for a file in config/.
  const home = found === null ? process.cwd() : homeOf(resolve(found));
  const missing = files ? fileFaults(file, (name) => resolve(home, name), overrides) : [];
  refuse([...settingsFaults(file, overrides), ...missing]);
  return toSettings(file, { home, overrides, stateDirectory: process.env['STATE_DIRECTORY'] ?? null });
}

/** The schema of `repository.schema`, or ours for null. Throws SettingsError. */
export function readSchema(path: string | null): SchemaValidator {
  try {
    return compileSchema(path === null ? null : (JSON.parse(readFileSync(path, 'utf8')) as object));
  } catch (error) {
    throw new SettingsError(`cannot use the schema ${path}: ${(error as Error).message}`, 'check repository.schema');
  }
}

function homeOf(path: string): string {
  const folder = dirname(path);
  return folder.endsWith('/config') ? dirname(folder) : folder;
}

function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new SettingsError(
      `cannot read the settings ${path}: ${(error as Error).message}`,
      'check the path given with --config',
    );
  }
}
