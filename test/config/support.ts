import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { drawDiagnostic } from '../../src/terminal.ts';
import type { Diagnostic } from '../../src/config/diagnostic.ts';
import { parseConfig, type ParsedConfig } from '../../src/config/parse.ts';
import { compileSchema } from '../../src/config/schema.ts';

export const builtin = compileSchema(null);

/** The smallest valid file: a test adds what it is about. */
export const minimal = 'shuffle_sharding:\n  total_hosts: 8\n  default_shard_size: 2\n';

export function parse(content: string | Uint8Array, validate = builtin): ParsedConfig {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return parseConfig(bytes, { file: 'shard-config.yaml', validate });
}

/** `line:column code` of each diagnostic. */
export function brief(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.map(({ line, column, code }) => `${line}:${column} ${code}`);
}

const fixtures = new URL('../fixtures/config/', import.meta.url);

export const fixtureNames = readdirSync(fixtures)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.slice(0, -'.yaml'.length));

export function readFixture(name: string): Buffer {
  return readFileSync(new URL(`${name}.yaml`, fixtures));
}

/** Compares with the golden text beside the fixture, or writes it with UPDATE=1. */
export function matchGolden(name: string, actual: string): void {
  const golden = new URL(`${name}.txt`, fixtures);
  if (process.env['UPDATE'] === '1') writeFileSync(golden, actual);
  assert.equal(actual, readFileSync(golden, 'utf8'));
}

export function draw(bytes: Buffer, diagnostics: readonly Diagnostic[]): string {
  return diagnostics
    .map((diagnostic) => `${drawDiagnostic(diagnostic, bytes.toString(), { color: false })}\n`)
    .join('');
}
