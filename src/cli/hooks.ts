import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Option } from 'commander';
import type { Command } from 'commander';
import { quote } from '../git/mirror/ssh.ts';
import { openRepository } from '../git/read/repository.ts';
import type { GitRepository } from '../git/read/repository.ts';
import { runGit } from '../git/exec/run.ts';
import { hookNames } from './check-hook.ts';
import type { HookName } from './check-hook.ts';
import { CliError } from './exit.ts';

interface InstallFlags {
  readonly repository: string;
  readonly hook?: HookName;
}

const mark = '# Written by `shardplane hooks install`.';

/** `shardplane hooks install`. */
export function defineHooks(program: Command): void {
  program
    .command('hooks')
    .description('check the config before it is committed or received')
    .command('install')
    .description('write a hook that checks what is staged (working copy), or pushed (bare repository)')
    .option('--repository <path>', 'the git repository', '.')
    .addOption(
      new Option('--hook <hook>', 'which one (default: pre-commit, in a bare repository pre-receive)').choices(
        hookNames,
      ),
    )
    .action(async (flags: InstallFlags) => {
      const repository = await openRepository(flags.repository);
      const hook = flags.hook ?? (repository.topLevel === null ? 'pre-receive' : 'pre-commit');
      await refuseOtherHooksPath(repository);
      console.log(`${install(repository, hook)}: checks the config with shardplane check --hook ${hook}`);
    });
}

/** Writes the hook (idempotent) and returns its path. Throws CliError when there is another hook already. */
function install(repository: GitRepository, hook: HookName): string {
  const folder = join(repository.commonDir, 'hooks');
  const path = join(folder, hook);
  const known = readIfThere(path);
  if (known !== null && !known.includes(mark))
    throw new CliError(`${path} exists already, and is not ours`, {
      hint: `add this line to it: ${commandOf(hook)}`,
    });
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${mark}\nexec ${commandOf(hook)}\n`, { mode: 0o755 });
  return path;
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Absolute paths: a hook runs with whatever PATH the user's git client has. */
function commandOf(hook: HookName): string {
  const main = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './main.ts' : './main.js', import.meta.url));
  return `${quote(process.execPath)} ${quote(main)} check --hook ${hook}`;
}

/** With core.hooksPath, git ignores the hooks folder that we write to. */
async function refuseOtherHooksPath({ commonDir }: GitRepository): Promise<void> {
  for (const scope of [['--file', join(commonDir, 'config')], ['--global'], ['--system']]) {
    const { stdout } = await runGit(['config', ...scope, '--get', 'core.hooksPath'], { answers: [0, 1, 128] });
    const path = stdout.toString('utf8').trim();
    if (path !== '')
      throw new CliError(`core.hooksPath is ${path}, so git does not look into the repository's hooks`, {
        hint: `add to the hook there: shardplane check --hook pre-commit`,
      });
  }
}
