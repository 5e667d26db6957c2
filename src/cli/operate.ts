import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { maxWhy, toOneLine, type verbs } from '../http/orders.ts';
import { toMilliseconds } from '../settings/duration.ts';
import { findDaemon } from './client.ts';
import { CliError } from './exit.ts';
import type { SettingsFlags } from './options.ts';
import { printJson, withJson, withSettings } from './options.ts';

type Verb = (typeof verbs)[number];
type Flags = SettingsFlags & { json?: boolean; message?: string; all?: boolean; until?: string };

/** `shardplane pause`, `resume`, `promote`, `abort`, `freeze` and `unfreeze`: commands about rollouts to the running daemon. */
export function defineOperate(program: Command): void {
  define(program, 'pause', 'stop the rollout where it is: nodes keep what they have, and no wave begins');
  define(program, 'resume', 'let a paused rollout go on where it was');
  define(
    program,
    'promote',
    'end the current wave now, whatever its bake and its checks say, and begin the next',
  ).option('--all', 'to everyone at once, without any more baking');
  define(program, 'abort', 'take back what is being rolled out: every node gets the live release again, at once');
  define(program, 'freeze', 'let no wave begin, and hold new commits; a rollback is not stopped').addOption(
    new Option('--until <time>', 'when it ends by itself: 4h, 2027-01-04T08:00 (local), 2027-01-04T08:00Z').argParser(
      (text: string) => toEnd(text, Date.now()),
    ),
  );
  define(program, 'unfreeze', 'end the freeze, or the window of the settings that is in force');
}

function define(program: Command, verb: Verb, description: string): Command {
  return withJson(withSettings(program.command(verb)))
    .description(description)
    .option('-m, --message <why>', `why, for the ledger and the log (${maxWhy} characters)`)
    .addHelpText('after', '\nExit codes: 0; 1 it would change nothing, or no daemon; 2 usage')
    .action((flags: Flags) => run(verb, flags));
}

async function run(verb: Verb, flags: Flags): Promise<void> {
  const { message = '', all, until } = flags;
  const link = await findDaemon(flags, 'command');
  const result = await link.command(`/api/v1/${verb}`, {
    why: toOneLine(message, maxWhy),
    ...(all !== undefined && { all }),
    ...(until !== undefined && { until }),
  });
  if (flags.json) printJson(result);
  else if (result.ok) console.log(result.message);
  else throw new CliError(result.message, { hint: result.hint ?? null });
  process.exitCode = result.ok ? 0 : 1;
}

/** A duration from now, or a time: local unless it names its zone. RFC 3339. Throws InvalidArgumentError. */
export function toEnd(text: string, now: number): string {
  const milliseconds = toMilliseconds(text);
  const isDate = /^\d{4}-\d\d-\d\d$/.test(text);
  // A date alone would be midnight in UTC.
  const end = Number.isNaN(milliseconds) ? toTime(isDate ? `${text}T00:00` : text) : now + milliseconds;
  if (Number.isNaN(end))
    throw new InvalidArgumentError('It must be a duration such as 4h, or a time such as 2027-01-04T08:00.');
  if (end <= now) throw new InvalidArgumentError(`${text} is over already.`);
  if (end - now > 366 * 86_400_000) throw new InvalidArgumentError('It must be within a year from now.');
  return new Date(end).toISOString();
}

function toTime(text: string): number {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?$/.test(text) ? Date.parse(text) : Number.NaN;
}
