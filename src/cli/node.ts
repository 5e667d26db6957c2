import type { Command } from 'commander';
import { findDaemon } from './client.ts';
import { CliError } from './exit.ts';
import type { SettingsFlags } from './options.ts';
import { printJson, withJson, withSettings } from './options.ts';

type Flags = SettingsFlags & { json?: boolean };

/** `shardplane node mute ID` and `node unmute ID`. */
export function defineNode(program: Command): void {
  const node = program.command('node').description('what one Envoy has a say in');
  withJson(withSettings(node.command('mute')))
    .description('take an Envoy’s vote away: it rolls back nothing, proves nothing, and is not waited for')
    .argument('<id>', 'its node.id, connected or not')
    .action((id: string, flags: Flags) => run('mute', id, flags));
  withJson(withSettings(node.command('unmute')))
    .description('give an Envoy its vote back, also one that it lost by rolling back alone')
    .argument('<id>', 'its node.id')
    .action((id: string, flags: Flags) => run('unmute', id, flags));
}

async function run(verb: 'mute' | 'unmute', node: string, flags: Flags): Promise<void> {
  const link = await findDaemon(flags, 'command');
  const result = await link.command(`/api/v1/${verb}`, { node });
  if (flags.json) printJson(result);
  else if (result.ok) console.log(result.message);
  else throw new CliError(result.message, { hint: result.hint ?? null });
  process.exitCode = result.ok ? 0 : 1;
}
