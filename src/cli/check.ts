import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Option } from 'commander';
import type { Command } from 'commander';
import type { Diagnostic } from '../config/diagnostic.ts';
import { Judge } from '../judge/judge.ts';
import { readSchema } from '../settings/load.ts';
import type { Settings } from '../settings/settings.ts';
import { checkHook, hookNames } from './check-hook.ts';
import type { HookName } from './check-hook.ts';
import { drawDiagnostic } from '../terminal.ts';
import { CliError } from './exit.ts';
import type { SettingsFlags } from './options.ts';
import { printJson, settingsOf, useColor, withJson, withSettings } from './options.ts';

interface CheckFlags extends SettingsFlags {
  readonly hook?: HookName;
  readonly json?: boolean;
}

/** A file that was checked. */
interface Checked {
  readonly file: string;
  readonly source: Uint8Array | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** `shardplane check [FILE]`: 0 valid, 1 invalid, 2 could not run. */
export function defineCheck(program: Command): void {
  withJson(withSettings(program.command('check')))
    .description('check a config, as the daemon would: exit 0 valid, 1 invalid, 2 could not run')
    .argument('[file]', 'the config; default: the repository’s, as it is saved; - reads standard input')
    .addOption(new Option('--hook <hook>', 'as a git hook: check what is staged, or pushed').choices(hookNames))
    .action(async (file: string | undefined, flags: CheckFlags) => {
      if (file !== undefined && flags.hook)
        throw new CliError('--hook takes no FILE: it checks what is staged or pushed', { exitCode: 2 });
      const settings = settingsOf(flags);
      const checked = flags.hook ? await checkHook(flags.hook, settings) : [await checkFile(file, settings)];
      report(checked, flags);
      process.exitCode = checked.every(isValid) ? 0 : 1;
    });
}

async function checkFile(file: string | undefined, { repository }: Settings): Promise<Checked> {
  const path = file ?? join(repository.path, repository.file);
  const source = read(path);
  await using judge = new Judge({ file: path, validate: readSchema(repository.schema) });
  return { file: path, source, diagnostics: await judge.check(source) };
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

function isValid({ diagnostics }: Checked): boolean {
  return diagnostics.length === 0;
}

function report(checked: readonly Checked[], { json, hook }: CheckFlags): void {
  const results = checked.map((each) => ({ file: each.file, valid: isValid(each), diagnostics: each.diagnostics }));
  if (json) return printJson(hook ? results : results[0]);
  for (const { source, diagnostics } of checked) {
    const text = source === null ? null : new TextDecoder().decode(source);
    for (const diagnostic of diagnostics) console.error(drawDiagnostic(diagnostic, text, { color: useColor() }));
  }
  // As a hook, be silent when all is well.
  if (!hook) for (const { file } of checked.filter(isValid)) console.log(`${file}: valid`);
}
