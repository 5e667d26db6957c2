import { Option } from 'commander';
import type { Command } from 'commander';
import pc from 'picocolors';
import { Judge } from '../judge/judge.ts';
import { excessWords } from '../plan/limits.ts';
import { readSchema } from '../settings/load.ts';
import type { Settings } from '../settings/settings.ts';
import { checkHook, hookNames } from './check-hook.ts';
import type { HookName } from './check-hook.ts';
import { hasColor } from '../terminal.ts';
import { checkBytes, readHeadContent, type Checked } from './check-limits.ts';
import { pathOfSaved } from './clone.ts';
import { CliError } from './exit.ts';
import type { SettingsFlags } from './options.ts';
import { printJson, settingsOf, withJson, withSettings } from './options.ts';
import { printDiagnostics } from './print-diagnostics.ts';
import { readConfig } from './read-config.ts';

interface CheckFlags extends SettingsFlags {
  readonly hook?: HookName;
  readonly json?: boolean;
}

/** `shardplane check [FILE]`: 0 valid, 1 invalid, 2 could not run, 3 over a limit of `plan.limits`. */
export function defineCheck(program: Command): void {
  withJson(withSettings(program.command('check')))
    .description('check a config, as the daemon would: exit 0 valid, 1 invalid, 2 could not run, 3 over a limit')
    .argument('[file]', 'the config; default: the repository’s, as it is saved; - reads standard input')
    .addOption(new Option('--hook <hook>', 'as a git hook: check what is staged, or pushed').choices(hookNames))
    .action(async (file: string | undefined, flags: CheckFlags) => {
      if (file !== undefined && flags.hook)
        throw new CliError('--hook takes no FILE: it checks what is staged or pushed', { exitCode: 2 });
      const settings = settingsOf(flags);
      const checked = flags.hook ? await checkHook(flags.hook, settings) : [await checkFile(file, settings)];
      report(checked, flags);
      process.exitCode = !checked.every(isValid) ? 1 : checked.some(isOver) ? 3 : 0;
    });
}

async function checkFile(file: string | undefined, { repository, plan: { limits } }: Settings): Promise<Checked> {
  const path = file ?? (await pathOfSaved(repository));
  const source = readConfig(path, { verb: 'check', exitCode: 2 });
  await using judge = new Judge({ file: path, validate: readSchema(repository.schema) });
  return { file: path, ...(await checkBytes(source, { judge, limits, before: () => readHeadContent(repository) })) };
}

function isValid({ diagnostics }: Checked): boolean {
  return diagnostics.length === 0;
}

function isOver({ excesses }: Checked): boolean {
  return excesses.length > 0;
}

function report(checked: readonly Checked[], { json, hook }: CheckFlags): void {
  const results = checked.map((each) => {
    const { file, diagnostics, excesses } = each;
    return { file, valid: isValid(each), diagnostics, excesses };
  });
  if (json) return printJson(hook ? results : results[0]);
  for (const { source, diagnostics } of checked) printDiagnostics(diagnostics, source);
  for (const each of checked.filter(isOver)) reportOver(each, hook);
  // As a hook, be silent when all is well.
  if (!hook) for (const { file } of checked.filter(isValid)) console.log(`${file}: valid`);
}

function reportOver({ file, excesses }: Checked, hook: HookName | undefined): void {
  const colors = pc.createColors(hasColor(process.stderr));
  console.error(`${file}: ${colors.red('over a limit:')} ${excessWords(excesses)}`);
  const skip = hook === 'pre-commit' ? ' (git commit --no-verify gets past this hook)' : '';
  const hint = `make it in smaller steps; what is meant is let through with the trailer Shardplane-Accept: yes in its message${skip}`;
  console.error(`  ${colors.cyan('hint:')} ${hint}`);
}
