import { shardplane, startContender } from './contender.ts';
import { Generator } from './load/generator.ts';
import { memoryMb, quiet } from './proc.ts';
import { versionOf } from './servers/release.ts';
import { median } from './statistics.ts';

/** The cost of nodes that are connected and do not read. */
export interface StallResult {
  readonly nodes: number;
  readonly silent: number;
  readonly keys: number;
  readonly releases: number;
  /** The daemon's memory after each release, once the reading nodes have it. */
  readonly memoryMb: readonly number[];
  readonly peakMb: number;
  /** The median time until the last reading node has a release. */
  readonly changeMs: number;
}

/** Publishes one release after another while some nodes never read. */
export async function measureStall(
  setup: Pick<StallResult, 'nodes' | 'silent' | 'keys' | 'releases'>,
): Promise<StallResult> {
  const { nodes, silent, keys, releases } = setup;
  const server = await startContender(shardplane, keys);
  using readers = new Generator();
  using sleepers = new Generator();
  try {
    await readers.connect({ port: server.port, nodes: nodes - silent });
    await sleepers.connect({ port: server.port, nodes: silent, silent: true });
    const memory: number[] = [];
    const times: number[] = [];
    for (let release = 1; release <= releases; release += 1) {
      const { reached } = await readers.expect(versionOf(release));
      server.change(release);
      times.push((await reached).ms);
      await quiet(server.pid);
      memory.push(memoryMb(server.pid).now);
    }
    return { ...setup, memoryMb: memory, peakMb: memoryMb(server.pid).peak, changeMs: median(times) };
  } finally {
    await server.stop();
  }
}
