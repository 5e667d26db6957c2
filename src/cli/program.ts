import { Command } from 'commander';
import { readVersion } from '../version.ts';
import { defineBootstrap } from './bootstrap.ts';
import { defineCheck } from './check.ts';
import { defineCompletion } from './completion.ts';
import { defineCommands } from './commands.ts';
import { defineDeal } from './deal.ts';
import { defineExplain } from './explain.ts';
import { definePlan } from './plan.ts';
import { completeHelp } from './help.ts';
import { defineHistory } from './history.ts';
import { defineImpact } from './impact.ts';
import { defineNode } from './node.ts';
import { defineOperate } from './operate.ts';
import { defineHooks } from './hooks.ts';
import { defineQuarantine } from './quarantine.ts';
import { defineSchema } from './schema.ts';
import { defineServe } from './serve.ts';
import { defineStatus } from './status.ts';

/** The command line: one file for each subcommand. */
export function createProgram(): Command {
  const program = new Command('shardplane')
    .description('Change how a fleet of Envoys shuffle-shards its customers, safely, from git.')
    .version(readVersion())
    .showHelpAfterError('(--help lists what there is)')
    .exitOverride();
  const parts = [
    defineServe,
    defineCheck,
    definePlan,
    defineStatus,
    defineHistory,
    defineExplain,
    defineDeal,
    defineImpact,
    defineQuarantine,
    defineCommands,
    defineOperate,
    defineNode,
    defineHooks,
    defineBootstrap,
    defineSchema,
    defineCompletion,
  ];
  for (const define of parts) define(program);
  for (const command of program.commands) command.copyInheritedSettings(program);
  completeHelp(program);
  return program;
}
