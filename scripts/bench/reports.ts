import { setTimeout as sleep } from 'node:timers/promises';
import { shardplane, startContender } from './contender.ts';
import { Generator } from './load/generator.ts';
import { cpuMs, memoryMb, quiet } from './proc.ts';

/** What the load reports of an idle fleet cost the daemon. */
export interface ReportsResult {
  readonly nodes: number;
  readonly lines: readonly ReportsLine[];
}

export interface ReportsLine {
  /** Of the node in each report. */
  readonly nodeBytes: number;
  /** Between a node's reports; 0: none. */
  readonly everyMs: number;
  /** CPU time of the daemon, and of the load generator, as a share of one core. */
  readonly share: number;
  readonly loadShare: number;
  readonly memoryMb: number;
  /** Reports that had not left at the end: the daemon read too slowly. */
  readonly late: number;
}

/** As Envoy 1.40 sends it with all of its extensions, and as small as can be. */
const SIZES = [61_000, 100];
const INTERVALS = [0, 10_000, 2_000];
const SETTLE_MS = 5_000;
const MEASURED_MS = 20_000;

/** A daemon with so many nodes, each with an xDS stream and a stream of load reports on connections of their own. */
export async function measureReports(nodes: number): Promise<ReportsResult> {
  const lines: ReportsLine[] = [];
  for (const nodeBytes of SIZES) {
    const server = await startContender(shardplane, 20);
    using fleet = new Generator();
    using reporters = new Generator();
    try {
      await fleet.connect({ port: server.port, nodes });
      await reporters.openReports({ port: server.port, nodes, nodeBytes });
      await quiet(server.pid);
      for (const everyMs of INTERVALS) {
        await reporters.report(everyMs);
        await sleep(Math.max(SETTLE_MS, everyMs));
        const before = [cpuMs(server.pid), cpuMs(reporters.pid)] as const;
        await sleep(MEASURED_MS);
        const [share, loadShare] = [server.pid, reporters.pid].map(
          (pid, at) => (cpuMs(pid) - (before[at] ?? 0)) / MEASURED_MS,
        );
        const { late } = await reporters.report(everyMs);
        lines.push({
          nodeBytes,
          everyMs,
          share: share ?? NaN,
          loadShare: loadShare ?? NaN,
          memoryMb: memoryMb(server.pid).now,
          late,
        });
      }
    } finally {
      await server.stop();
    }
  }
  return { nodes, lines };
}
