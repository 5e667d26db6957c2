import type { Command } from 'commander';
import type { CommandResult } from '../http/api.ts';
import { commandDaemon } from './client.ts';
import { CliError } from './exit.ts';
import type { SettingsFlags } from './options.ts';
import { printJson, settingsOf, withJson, withSettings } from './options.ts';

type Flags = SettingsFlags & { json?: boolean };

/** `shardplane retry SHA`, `accept SHA` and `sync`: what an operator tells the running daemon. */
export function defineCommands(program: Command): void {
  withJson(withSettings(program.command('retry')))
    .description('push a commit again that an Envoy has refused')
    .argument('<sha>', 'the newest revision, or its first digits', toSha)
    .action((version: string, flags: Flags) => run(flags, '/api/v1/retry', { version }));
  withJson(withSettings(program.command('accept')))
    .description('let a commit through that is held')
    .argument('<sha>', 'the newest revision, or its first digits', toSha)
    .action((version: string, flags: Flags) => run(flags, '/api/v1/accept', { version }));
  withJson(withSettings(program.command('sync')))
    .description('look at the repository now; a remote is fetched first')
    .action((flags: Flags) => run(flags, '/api/v1/sync', {}));
}

async function run(flags: Flags, path: string, command: { version?: string }): Promise<void> {
  const result = await commandDaemon(settingsOf(flags), path, command);
  if (flags.json) printJson(result);
  else if (result.ok) console.log(result.message);
  else throw toError(result);
  process.exitCode = result.ok ? 0 : 1;
}

function toError({ message, hint }: CommandResult): CliError {
  return new CliError(message, { hint: hint ?? null });
}

function toSha(text: string): string {
  if (/^[0-9a-f]{4,64}$/i.test(text)) return text.toLowerCase();
  throw new CliError(`${text} is not a commit’s SHA`, {
    exitCode: 2,
    hint: 'give 4 hex digits or more, as git log --oneline shows them',
  });
}
