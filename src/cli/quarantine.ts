import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import type { ShardConfig } from '../config/config.ts';
import type { CustomerChange } from '../config/edit.ts';
import { printable, toTime } from '../config/words.ts';
import { commitFile, openWorkingCopy } from '../git/write/commit-file.ts';
import { maxWhy, toOneLine } from '../http/orders.ts';
import { short } from '../release/short.ts';
import type { Settings } from '../settings/settings.ts';
import { shardOf } from '../shard/shard-of.ts';
import { editConfig, readConfigFile, replaceFile } from './config-file.ts';
import { CliError } from './exit.ts';
import { toEnd } from './operate.ts';
import type { SettingsFlags } from './options.ts';
import { printJson, settingsOf, withJson, withSettings } from './options.ts';

interface Flags extends SettingsFlags {
  readonly message: string;
  readonly until?: string;
  readonly json?: boolean;
}

/** `shardplane quarantine ID` and `unquarantine ID`: one commit that takes a customer from the others' hosts, or back. */
export function defineQuarantine(program: Command): void {
  define(program, 'quarantine', 'commit that a customer gets hosts of the quarantine alone, which nobody else gets')
    .addOption(
      new Option('--until <time>', 'when it should be over: 4h, 2027-01-04T08:00Z; then the status says so').argParser(
        (text: string) => toTime(Date.parse(toEnd(text, Date.now()))),
      ),
    )
    .action((id: string, flags: Flags) =>
      change(id, flags, { quarantine: true, quarantine_until: flags.until ?? null }),
    );
  define(program, 'unquarantine', 'commit that a customer is dealt hosts as all others again').action(
    (id: string, flags: Flags) => change(id, flags, { quarantine: null, quarantine_until: null }),
  );
}

function define(program: Command, name: string, description: string): Command {
  return withJson(withSettings(program.command(name)))
    .description(description)
    .argument('<customer>', 'the customer’s id, as in x-customer-id')
    .requiredOption('-m, --message <why>', 'why: the commit’s message', toMessage)
    .addHelpText('after', '\nExit codes: 0; 1 it would change nothing, or can’t be committed; 2 usage');
}

async function change(id: string, flags: Flags, changes: CustomerChange): Promise<void> {
  const settings = settingsOf(flags);
  mustBeLocal(settings);
  const { repository } = settings;
  const copy = await openWorkingCopy(repository.path, repository);
  const read = await readConfigFile(`${copy.topLevel}/${copy.file}`, settings);
  mustChange(read.config, id, changes);
  const edited = await editConfig(read, new Map([[id, changes]]), {
    settings,
    isAsMeant: (config) => isAsMeant(config, id, changes),
  });
  await replaceFile(read, edited.bytes);
  const version = await commitFile(copy, flags.message).catch(async (error: unknown) => {
    await replaceFile(edited, read.bytes);
    throw error;
  });
  report({ id, version, flags, after: edited.config });
}

/** A remote, and a repository whose commits must be signed, are for a person's own clone and key. */
function mustBeLocal({ repository: { remote, verify } }: Settings): void {
  const byHand = 'in a clone of yours write quarantine: true in the customer’s entry, commit and push';
  if (remote !== null)
    throw new CliError('a remote is followed: its commits are made in a clone', {
      hint: `${byHand}; or run this there, with --repository, and push`,
    });
  if (verify.mode !== 'none')
    throw new CliError('commits have to be signed here, and this one would not be', { hint: byHand });
}

function mustChange(config: ShardConfig, id: string, { quarantine, quarantine_until: until }: CustomerChange): void {
  const isIn = config.quarantined?.has(id) === true;
  if (quarantine === null) {
    if (isIn) return;
    throw new CliError(`${id} is not in quarantine`);
  }
  if (config.quarantineHosts === undefined)
    throw new CliError('no host is set apart for a quarantine', {
      hint: 'write quarantine_hosts: 1 (the last host of the list) under shuffle_sharding, and commit it, well before it is needed',
    });
  if (isIn && config.quarantineUntil?.get(id) === timeOf(until)) throw new CliError(`${id} is in quarantine already`);
}

function timeOf(until: CustomerChange[string] | undefined): number | undefined {
  return typeof until === 'string' ? Date.parse(until) : undefined;
}

function isAsMeant(config: ShardConfig, id: string, { quarantine, quarantine_until: until }: CustomerChange): boolean {
  const isIn = config.quarantined?.has(id) === true;
  return isIn === (quarantine === true) && config.quarantineUntil?.get(id) === timeOf(until);
}

interface Report {
  readonly id: string;
  readonly version: string;
  readonly flags: Flags;
  readonly after: ShardConfig;
}

function report({ id, version, flags: { json }, after }: Report): void {
  const hosts = shardOf(after, id).map((slot) => slot + 1);
  const inQuarantine = after.quarantined?.has(id) === true;
  const until = after.quarantineUntil?.get(id);
  const end = until === undefined ? null : new Date(until).toISOString();
  if (json) return printJson({ customer: id, version, inQuarantine, until: end, hosts });
  const state = inQuarantine ? `is in quarantine${end === null ? '' : ` until ${end}`}` : 'is out of quarantine';
  console.log(
    `committed ${short(version)}: ${printable(id)} ${state}, on ${hosts.length === 1 ? 'host' : 'hosts'} ${hosts.join(', ')}`,
  );
}

function toMessage(text: string): string {
  const message = toOneLine(text, maxWhy);
  if (message !== '') return message;
  throw new InvalidArgumentError('It must say why.');
}
