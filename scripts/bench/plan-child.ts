import { argv, cpuUsage, hrtime, resourceUsage, stderr, stdout } from 'node:process';
import { readFileSync } from 'node:fs';
import { compileSchema } from '../../src/config/schema.ts';
import { parseConfig } from '../../src/config/parse.ts';
import type { ShardConfig } from '../../src/config/config.ts';
import { slotsIn, viewOf } from '../../src/shard/shard-of.ts';

/**
 * One measurement in a process of its own: `command ARGS` runs shardplane, `bare BEFORE AFTER` only assigns every named customer
 * its shard under both files. What it cost goes to standard error, as JSON.
 */
const [mode, ...args] = argv.slice(2);
const [startedAt, startedCpu] = [hrtime.bigint(), cpuUsage()];
if (mode === 'command') await command(args);
else bare(args);
const { user, system } = cpuUsage(startedCpu);
const ms = Number(hrtime.bigint() - startedAt) / 1e6;
stderr.write(JSON.stringify({ ms, cpuMs: (user + system) / 1e3, peakMb: (resourceUsage().maxRSS * 1024) / 1e6 }));

async function command(given: readonly string[]): Promise<void> {
  await import('../../src/cli/heap.ts');
  const { createProgram } = await import('../../src/cli/program.ts');
  await createProgram().parseAsync([...given], { from: 'user' });
}

function bare(files: readonly string[]): void {
  const [before, after] = files.map(read) as [ShardConfig, ShardConfig];
  const [old, now] = [viewOf(before), viewOf(after)];
  let slots = 0;
  for (const customer of before.customers.keys())
    slots += slotsIn(old, customer).length + slotsIn(now, customer).length;
  stdout.write(`${slots}\n`);
}

function read(path: string): ShardConfig {
  const { config } = parseConfig(readFileSync(path), { file: path, validate: compileSchema(null) });
  if (config === null) throw new Error(`${path} is not valid`);
  return config;
}
