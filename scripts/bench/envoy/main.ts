import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { table } from '../show.ts';
import { kinds, startContender, type Contender, type Kind } from './contender.ts';
import { measureChange, measureCost, type Change, type Cost } from './measure.ts';

const usage = `npm run bench:envoy [-- OPTIONS]
  --envoy 1.36.4,1.40.0         versions, as scripts/setup.sh installs them (default: 1.36.4,1.40.0)
  --only cost,change            parts to run (default: both)
  --rounds N, --requests N      of the cost: rounds, and requests of each contender in a round (default: 25, 4000)
  --customers 3,10000,100000    of the changes (default: these)
  --rate N, --changes N         requests a second while releases arrive, and how many of them (default: 100, 5)
  --json                        the results as JSON on stdout`;

const { values: flags } = parseArgs({
  options: {
    envoy: { type: 'string', default: '1.36.4,1.40.0' },
    only: { type: 'string', default: 'cost,change' },
    rounds: { type: 'string', default: '25' },
    requests: { type: 'string', default: '4000' },
    customers: { type: 'string', default: '3,10000,100000' },
    rate: { type: 'string', default: '100' },
    changes: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (flags.help) process.stdout.write(`${usage}\n`);
else await run();

async function run(): Promise<void> {
  const results = [];
  using backend = await startBackend();
  for (const version of flags.envoy.split(',')) {
    const costs = flags.only.includes('cost') ? await cost(version, backend.port) : [];
    const changes = flags.only.includes('change') ? await change(version, backend.port) : [];
    results.push({ version, costs, changes });
    if (!flags.json) process.stdout.write(`\nEnvoy ${version}\n\n${showCosts(costs)}\n\n${showChanges(changes)}\n`);
  }
  if (flags.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
}

/** The backend is a process of its own: it must not wait for the load generator. */
async function startBackend() {
  const script = fileURLToPath(new URL('backend.ts', import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', () => reject(new Error('the backend of the benchmark did not start')));
    child.stdout?.once('data', (line: Buffer) => resolve(Number(line.toString())));
  });
  return { port, [Symbol.dispose]: () => child.disconnect() };
}

function start(kind: Kind, version: string, port: number): Promise<Contender> {
  return startContender({ kind, version, backend: { host: '127.0.0.1', port } });
}

async function cost(version: string, port: number): Promise<Cost[]> {
  say(`Envoy ${version}: CPU of a request, ${flags.rounds} rounds of ${kinds.join(', ')} in random order ...`);
  await using stack = new AsyncDisposableStack();
  const contenders: Contender[] = [];
  for (const kind of kinds) contenders.push(stack.use(await start(kind, version, port)));
  for (const contender of contenders) await contender.push(contender.prepare(3, 'keys'));
  return await measureCost(contenders, { rounds: Number(flags.rounds), count: Number(flags.requests) });
}

async function change(version: string, port: number): Promise<Change[]> {
  const changes: Change[] = [];
  for (const customers of flags.customers.split(',').map(Number))
    for (const [kind, encoding] of [
      ['router', 'auto'],
      ['shardplane', 'auto'],
      ['two filters', 'keys'],
    ] as const) {
      say(`Envoy ${version}: ${kind}, ${customers} customers (${encoding}), ${flags.changes} releases ...`);
      await using contender = await start(kind, version, port);
      const options = { customers, encoding, rate: Number(flags.rate), changes: Number(flags.changes) };
      changes.push(await measureChange(contender, options));
    }
  return changes;
}

function showCosts(costs: readonly Cost[]): string {
  const [base] = costs;
  const two = costs.find(({ kind }) => kind === 'two filters');
  if (base === undefined || two === undefined) return '';
  const lines = costs.map(({ kind, us, above }) => [
    kind,
    `${us.toFixed(1)} us`,
    `${above.toFixed(1)} us`,
    (above / base.us).toFixed(2),
    (above / two.above).toFixed(2),
  ]);
  return table(['', 'CPU of a request', 'above the router', 'of the router’s', 'of the two filters’'], lines);
}

function showChanges(changes: readonly Change[]): string {
  const ms = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
  const lines = changes.map((one) => [
    one.customers.toLocaleString('en'),
    `${one.kind}, ${one.encoding}`,
    `${ms(one.atRest.p50)}, ${ms(one.atRest.p99)}`,
    `${ms(one.p50)}, ${ms(one.p99)}`,
    ms(one.slowest),
    ms(one.ackMs),
    one.kind === 'router' ? '' : ms(one.seenMs),
    `${Math.round(one.rssMb)} MB`,
    String(one.failed),
  ]);
  const head = [
    'customers',
    '',
    'p50, p99 at rest',
    'p50, p99 in change',
    'slowest',
    'ACK',
    'new values',
    'memory',
    'failed',
  ];
  return lines.length === 0 ? '' : table(head, lines);
}

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}
