import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { git } from '../../test/helpers/git.ts';
import { median } from './statistics.ts';

const run = promisify(execFile);

/** What one process cost, from its first line to its last. */
export interface PlanCost {
  readonly ms: number;
  readonly cpuMs: number;
  readonly peakMb: number;
}

/** `shardplane plan` for a host added to so many, and only the assignment of each customer under both configs. */
export interface PlanResult {
  readonly customers: number;
  readonly hosts: number;
  readonly plan: PlanCost;
  readonly bare: PlanCost;
}

export const planRows: readonly Pick<PlanResult, 'customers' | 'hosts'>[] = [
  { customers: 10_000, hosts: 100 },
  { customers: 100_000, hosts: 100 },
];

const script = new URL('./plan-child.ts', import.meta.url).pathname;
const file = 'shard-config.yaml';

/** Medians of so many runs, in a real repository. */
export async function measurePlan(row: (typeof planRows)[number], runs: number): Promise<PlanResult> {
  const folder = await mkdtemp(join(tmpdir(), 'shardplane-bench-'));
  try {
    const [before, after] = [join(folder, 'before.yaml'), join(folder, file)];
    await writeFile(before, makeConfig(row.customers, row.hosts));
    await writeFile(after, makeConfig(row.customers, row.hosts));
    await git(folder, ['init', '--quiet']);
    await git(folder, ['add', file]);
    await git(folder, ['commit', '--quiet', '-m', 'begin']);
    await writeFile(after, makeConfig(row.customers, row.hosts + 1));
    const plan = await measure(runs, ['command', 'plan', '--repository', folder], folder);
    return { ...row, plan, bare: await measure(runs, ['bare', before, after], folder) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(runs: number, args: readonly string[], cwd: string): Promise<PlanCost> {
  const costs: PlanCost[] = [];
  for (let i = 0; i < runs; i++) {
    const { stderr } = await run(process.execPath, [script, ...args], { cwd, timeout: 300_000 });
    costs.push(JSON.parse(stderr) as PlanCost);
  }
  const of = (key: keyof PlanCost): number => median(costs.map((cost) => cost[key]));
  return { ms: of('ms'), cpuMs: of('cpuMs'), peakMb: of('peakMb') };
}

function makeConfig(customers: number, hosts: number): string {
  const lines = Array.from({ length: customers }, (_, i) => `    customer-${i}: {shard_size: 4}`);
  return `shuffle_sharding:\n  total_hosts: ${hosts}\n  default_shard_size: 4\n  customer:\n${lines.join('\n')}\n`;
}
