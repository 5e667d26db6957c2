import { availableParallelism, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { buildScripts } from './build.ts';
import { findContenders } from './contender.ts';
import { checkFiles } from './files.ts';
import { measureJoin } from './join.ts';
import { measurePath, pathRows } from './path.ts';
import { measurePlan, planRows } from './plan.ts';
import { measureRow, rows, type Row } from './push.ts';
import { measureReports } from './reports.ts';
import { showJoin, showPath, showPlan, showReports, showRows, showStall } from './show.ts';
import { measureStall } from './stall.ts';

const usage = `npm run bench [-- OPTIONS]
  --only push,path,join,stall,load-reports,plan   parts to run (default: all)
  --rows 1000x20,200x100000     rows of push, path and load-reports, nodes x keys (default: those of docs/performance.md)
  --runs N                      changes that are counted, after the warm-up (default: 9)
  --json                        the results as JSON on stdout`;

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', default: 'push,path,join,stall,load-reports,plan' },
    rows: { type: 'string' },
    runs: { type: 'string', default: '9' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (flags.help) process.stdout.write(`${usage}\n`);
else await run();

async function run(): Promise<void> {
  const parts = flags.only.split(',');
  const runs = Number(flags.runs);
  await buildScripts();
  const { contenders, missing } = await findContenders();
  if (missing !== null) say(`go-control-plane is left out: ${missing}`);
  const results: Record<string, unknown> = {
    machine: { cores: availableParallelism(), memoryGb: Math.round(totalmem() / 1e9), node: process.versions.node },
  };
  if (parts.includes('push')) {
    const measured = [];
    for (const row of chosen(rows)) {
      checkFiles(row.nodes);
      say(`${row.nodes} nodes x ${row.keys} keys: ${contenders.map(({ name }) => name).join(', ')} in turn ...`);
      measured.push(await measureRow(row, runs, contenders));
    }
    results['push'] = measured;
    print(showRows(measured));
  }
  if (parts.includes('path')) {
    const measured = [];
    for (const row of chosen(pathRows)) {
      say(`git commit to the last ACK: ${row.nodes} nodes, ${row.keys} customers ...`);
      measured.push(await measurePath(row, runs));
    }
    results['path'] = measured;
    print(showPath(measured));
  }
  if (parts.includes('join')) {
    say('1,000 nodes connect at once, nine times ...');
    const measured = await measureJoin({ nodes: 1_000, keys: 1_000, times: 9 });
    results['join'] = measured;
    print(showJoin(measured));
  }
  if (parts.includes('stall')) {
    say('50 of 200 nodes do not read, 20 releases of 100,000 keys ...');
    const measured = await measureStall({ nodes: 200, silent: 50, keys: 100_000, releases: 20 });
    results['stall'] = measured;
    print(showStall(measured));
  }
  if (parts.includes('load-reports')) {
    const measured = [];
    for (const { nodes } of chosen([{ nodes: 5_000, keys: 20 }])) {
      checkFiles(2 * nodes);
      say(`${nodes} nodes report their load: never, each 10 s, each 2 s, with a node of 61 KB and of 100 bytes ...`);
      measured.push(await measureReports(nodes));
    }
    results['load-reports'] = measured;
    print(measured.map(showReports).join('\n\n'));
  }
  if (parts.includes('plan')) {
    const measured = [];
    for (const row of planRows) {
      say(`shardplane plan: a host more, ${row.customers} customers on ${row.hosts} hosts ...`);
      measured.push(await measurePlan(row, runs));
    }
    results['plan'] = measured;
    print(showPlan(measured));
  }
  if (flags.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
}

/** The given rows, or those that `--rows` names. */
function chosen(defaults: readonly Row[]): readonly Row[] {
  if (flags.rows === undefined) return defaults;
  return flags.rows.split(',').map((text) => {
    const [, nodes, keys] = /^(\d+)x(\d+)$/.exec(text) ?? [];
    if (nodes === undefined) throw new Error(`--rows ${text}: NODESxKEYS is expected, such as 1000x20\n${usage}`);
    return { nodes: Number(nodes), keys: Number(keys) };
  });
}

function print(text: string): void {
  if (!flags.json) process.stdout.write(`\n${text}\n\n`);
}

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}
