import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import type { CommandResult, Status } from '../http/api.ts';
import { toMilliseconds } from '../settings/duration.ts';
import { findDaemon } from './client.ts';
import { CliError } from './exit.ts';
import type { SettingsFlags } from './options.ts';
import { printJson, toSha, useColor, withJson, withSettings } from './options.ts';
import { formatFaults, formatHead } from './status.ts';
import { faultOf, waitForOutcome } from './wait.ts';

/** `wait` in milliseconds; true: the default. */
type Flags = SettingsFlags & { json?: boolean; wait?: number | boolean };

/** `shardplane retry SHA`, `accept SHA` and `sync`: commands to the running daemon. */
export function defineCommands(program: Command): void {
  withWait(program.command('retry'), `how long to wait for the Envoys’ answer (default: ${defaultWait})`)
    .description('push a commit again that an Envoy has refused, and wait for the answer')
    .argument('<sha>', 'the newest revision: its first digits, or HEAD', toSha)
    .option('--no-wait', 'only push')
    .action((version: string, flags: Flags) => run('retry', { wait: true, ...flags }, { version }));
  withWait(program.command('accept'), waitHelp)
    .description('let a commit through that is held')
    .argument('<sha>', 'the newest revision: its first digits, or HEAD', toSha)
    .action((version: string, flags: Flags) => run('accept', flags, { version }));
  withWait(program.command('sync'), waitHelp)
    .description('look at the repository now (a remote is fetched first), and tell what came of the newest commit')
    .action((flags: Flags) => run('sync', flags, {}));
}

const defaultWait = '1m';
const waitHelp = `wait until the newest commit is decided, so long at most (default: ${defaultWait})`;

function withWait(command: Command, help: string): Command {
  return withJson(withSettings(command))
    .addOption(new Option('--wait [duration]', help).argParser(toWait))
    .addHelpText('after', '\nExit codes: 0; 1 invalid, rolled back, held, refused or not decided in time; 2 usage');
}

async function run(verb: 'retry' | 'accept' | 'sync', flags: Flags, command: { version?: string }): Promise<void> {
  const link = await findDaemon(flags, 'command');
  const result = await link.command(`/api/v1/${verb}`, command);
  if (!result.ok) {
    refuse(result, flags);
    return;
  }
  const { wait = false } = flags;
  const askedMs = typeof wait === 'number' ? wait : wait ? toWait(defaultWait) : 0;
  const status = await waitForOutcome(async () => (await link.ask('/api/v1/status')) as Status, {
    verb,
    waitMs: askedMs,
  });
  const fault = faultOf(status, { verb, isWaiting: askedMs > 0 });
  if (flags.json) printJson({ ...result, daemon: status.daemon, head: status.head, counts: status.counts, fault });
  else printResult(verb, result, status);
  if (fault === null) return;
  process.exitCode = 1;
  if (!flags.json) throw new CliError(fault);
}

/** What was done and the status that followed; of `sync` the status alone. */
function printResult(verb: string, { message }: CommandResult, status: Status): void {
  const lines = [...formatHead(status, useColor()), ...formatFaults(status, useColor())];
  console.log([...(verb === 'sync' ? [] : [message]), ...lines].join('\n'));
}

function refuse(result: CommandResult, flags: Flags): void {
  if (!flags.json) throw new CliError(result.message, { hint: result.hint ?? null });
  printJson(result);
  process.exitCode = 1;
}

function toWait(text: string): number {
  const milliseconds = toMilliseconds(text);
  if (milliseconds >= 1 && milliseconds <= 86_400_000) return milliseconds;
  throw new InvalidArgumentError('It must be a duration such as 30s or 5m, a day at most.');
}
