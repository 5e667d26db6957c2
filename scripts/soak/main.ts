import { parseArgs } from 'node:util';
import { runSoak } from './soak.ts';

const usage = `npm run soak [-- OPTIONS]
  --minutes N    how long nodes misbehave and commits come (default: 10)
  --seed N       makes the same choices as an earlier run (default: by chance; it is printed)
  --nodes N      size of the fleet (default: 200)
  --json         the report as JSON on stdout`;

/** The largest ratio of memory in the last minute to memory in the second one. */
const GROWTH = 1.5;

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    nodes: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (flags.help) process.stdout.write(`${usage}\n`);
else await run();

async function run(): Promise<void> {
  const [minutes, seed, nodes] = [Number(flags.minutes), Number(flags.seed), Number(flags.nodes)];
  if (!(minutes > 0 && seed >= 0 && nodes > 0)) throw new Error(`an argument is not a number above zero\n${usage}`);
  say(`seed ${seed}: ${nodes} nodes, ${minutes} minutes`);
  const report = await runSoak({ seconds: minutes * 60, seed, nodes, say });
  process.stdout.write(`${JSON.stringify(report, null, flags.json ? 0 : 2)}\n`);
  const { early, late } = report.memory;
  if (minutes >= 3 && late > GROWTH * early) throw new Error(`the daemon's memory grew from ${early} to ${late} MB`);
  say('all nodes that answer ended on the last good commit');
}

function say(words: string): void {
  process.stderr.write(`soak: ${words}\n`);
}
