import { readFileSync } from 'node:fs';
import { compileSchema } from '../config/schema.ts';
import type { SchemaValidator } from '../config/schema.ts';
import { SettingsError } from './error.ts';

/** The schema of `repository.schema`, or ours for null. Throws SettingsError. */
export function readSchema(path: string | null): SchemaValidator {
  try {
    return compileSchema(path === null ? null : (JSON.parse(readFileSync(path, 'utf8')) as object));
  } catch (error) {
    throw new SettingsError(`cannot use the schema ${path}: ${(error as Error).message}`, 'check repository.schema');
  }
}
