import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Diagnostic } from '../config/diagnostic.ts';
import { parseConfig } from '../config/parse.ts';
import { readSchema } from '../settings/schema.ts';
import { drawDiagnostic } from './draw.ts';
import { CliError } from './exit.ts';
import type { SettingsFlags } from './options.ts';
import { printJson, settingsOf, useColor, withJson, withSettings } from './options.ts';

interface CheckFlags extends SettingsFlags {
  readonly json?: boolean;
}

/** `shardplane check [FILE]`: 0 valid, 1 invalid, 2 could not run. */
export function defineCheck(program: Command): void {
  withJson(withSettings(program.command('check')))
    .description('check a config, as the daemon would: exit 0 valid, 1 invalid, 2 could not run')
    .argument('[file]', 'the config; default: the repository’s, as it is saved; - reads standard input')
    .action((file: string | undefined, flags: CheckFlags) => {
      const settings = settingsOf(flags);
      const path = file ?? join(settings.repository.path, settings.repository.file);
      const bytes = read(path);
      const { diagnostics } = parseConfig(bytes, { file: path, validate: readSchema(settings.repository.schema) });
      report({ file: path, bytes, diagnostics, json: flags.json === true });
      process.exitCode = diagnostics.length === 0 ? 0 : 1;
    });
}

function read(path: string): Uint8Array {
  try {
    if (path !== '-' && !statSync(path).isFile()) throw new Error('it is not a regular file');
    return readFileSync(path === '-' ? 0 : path);
  } catch (error) {
    throw new CliError(`cannot read ${path}: ${(error as Error).message}`, {
      exitCode: 2,
      hint: 'name the config: shardplane check FILE',
    });
  }
}

function report(result: { file: string; bytes: Uint8Array; diagnostics: readonly Diagnostic[]; json: boolean }): void {
  const { file, bytes, diagnostics, json } = result;
  if (json) return printJson({ file, valid: diagnostics.length === 0, diagnostics });
  const source = new TextDecoder().decode(bytes);
  for (const diagnostic of diagnostics) console.error(drawDiagnostic(diagnostic, source, { color: useColor() }));
  if (diagnostics.length === 0) console.log(`${file}: valid`);
}
