import { setTimeout as sleep } from 'node:timers/promises';
import { shardplane, startContender } from './contender.ts';
import { Generator } from './load/generator.ts';
import { memoryMb, quiet } from './proc.ts';
import { versionOf } from './servers/release.ts';
import { median } from './statistics.ts';

/** A fleet that connects at once, over and over. */
export interface JoinResult {
  readonly nodes: number;
  readonly keys: number;
  /** Until each node has the release: to a daemon that has just started, and the median of the times after. */
  readonly firstMs: number;
  readonly againMs: number;
  /** Until each node has a release that was made while they came. */
  readonly changedMs: number;
  /** The daemon's memory: before the first node, with all of them, and after each time that they had left. */
  readonly emptyMb: number;
  readonly fullMb: number;
  readonly leftMb: readonly number[];
}

/** All nodes connect in one go, and leave, `times` times; each time a release is made while they come, which all must get. */
export async function measureJoin({
  nodes,
  keys,
  times,
}: {
  nodes: number;
  keys: number;
  times: number;
}): Promise<JoinResult> {
  const server = await startContender(shardplane, keys);
  using load = new Generator();
  try {
    const joins: number[] = [];
    const changes: number[] = [];
    const leftMb: number[] = [];
    let fullMb = 0;
    const emptyMb = memoryMb(server.pid).now;
    for (let release = 1; release <= times; release += 1) {
      const joined = load.connect({ port: server.port, nodes, atOnce: true });
      const { reached } = await load.expect(versionOf(release));
      server.change(release);
      joins.push(await joined);
      changes.push((await reached).ms);
      fullMb = Math.max(fullMb, memoryMb(server.pid).now);
      await load.disconnect();
      await quiet(server.pid);
      leftMb.push(memoryMb(server.pid).now);
    }
    await sleep(10_000); // V8 gives memory back to the system when it has been idle for 8 s
    leftMb.push(memoryMb(server.pid).now);
    const [firstMs = NaN, ...again] = joins;
    return { nodes, keys, firstMs, againMs: median(again), changedMs: median(changes), emptyMb, fullMb, leftMb };
  } finally {
    await server.stop();
  }
}
