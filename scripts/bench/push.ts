import { startContender, type Contender, type RunningContender } from './contender.ts';
import { now } from './clock.ts';
import { Generator } from './load/generator.ts';
import { cpuMs, memoryMb, quiet } from './proc.ts';
import { versionOf } from './servers/release.ts';
import { median } from './statistics.ts';

/** A size of fleet and of releases. */
export interface Row {
  readonly nodes: number;
  readonly keys: number;
}

/** The results of one server in one row. */
export interface Measured {
  readonly server: Contender['name'];
  /** From the command to change, to the last node's ACK: the median of `runs`. */
  readonly changeMs: number;
  readonly runs: readonly number[];
  /** CPU time of the server for one change: the median. */
  readonly cpuMs: number;
  /** Peak resident memory of the server's process since it started. */
  readonly peakMb: number;
  /** CPU time of the load generator for one change: if it is close to `changeMs`, the generator is the bottleneck. */
  readonly loadCpuMs: number;
}

export interface RowResult extends Row {
  readonly servers: readonly Measured[];
}

export const rows: readonly Row[] = [
  { nodes: 1_000, keys: 20 },
  { nodes: 5_000, keys: 20 },
  { nodes: 1_000, keys: 1_000 },
  { nodes: 200, keys: 100_000 },
];

const WARM_UP = 3;

/** Measures one row: all servers run at once, each with its own fleet, and change in turn, so that conditions are the same for all. */
export async function measureRow(row: Row, runs: number, contenders: readonly Contender[]): Promise<RowResult> {
  const lanes: Lane[] = [];
  try {
    for (const contender of contenders) lanes.push(await Lane.open(contender, row));
    for (let release = 1; release <= WARM_UP + runs; release += 1) {
      // Each goes first equally often.
      const first = release % lanes.length;
      for (const lane of [...lanes.slice(first), ...lanes.slice(0, first)]) await lane.run(release);
    }
    return { ...row, servers: lanes.map((lane) => lane.result()) };
  } finally {
    for (const lane of lanes) await lane.close();
  }
}

/** One server, its fleet, and its measurements. */
class Lane {
  readonly #contender: Contender;
  readonly #server: RunningContender;
  readonly #load: Generator;
  readonly #changes: { readonly ms: number; readonly cpu: number; readonly loadCpu: number }[] = [];

  private constructor(contender: Contender, server: RunningContender, load: Generator) {
    this.#contender = contender;
    this.#server = server;
    this.#load = load;
  }

  static async open(contender: Contender, { nodes, keys }: Row): Promise<Lane> {
    const server = await startContender(contender, keys);
    const load = new Generator();
    const lane = new Lane(contender, server, load);
    await load.connect({ port: server.port, nodes });
    await quiet(server.pid);
    return lane;
  }

  async run(release: number): Promise<void> {
    const { pid } = this.#server;
    const { reached } = await this.#load.expect(versionOf(release));
    const cpu = cpuMs(pid);
    const loadCpu = cpuMs(this.#load.pid);
    const startedAt = now();
    this.#server.change(release);
    const { at } = await reached;
    await quiet(pid);
    this.#changes.push({ ms: at - startedAt, cpu: cpuMs(pid) - cpu, loadCpu: cpuMs(this.#load.pid) - loadCpu });
  }

  result(): Measured {
    const counted = this.#changes.slice(WARM_UP);
    const runs = counted.map(({ ms }) => ms);
    return {
      server: this.#contender.name,
      changeMs: median(runs),
      runs,
      cpuMs: median(counted.map(({ cpu }) => cpu)),
      peakMb: memoryMb(this.#server.pid).peak,
      loadCpuMs: median(counted.map(({ loadCpu }) => loadCpu)),
    };
  }

  async close(): Promise<void> {
    this.#load[Symbol.dispose]();
    await this.#server.stop();
  }
}
