import { setTimeout as sleep } from 'node:timers/promises';
import { shardplane, startContender } from './contender.ts';
import { Generator } from './load/generator.ts';
import { memoryMb, quiet } from './proc.ts';
import { versionOf } from './servers/release.ts';
import { median } from './statistics.ts';

/** Results for a fleet that connects all at once, repeatedly. */
export interface JoinResult {
  readonly nodes: number;
  readonly keys: number;
  /** Time until each node has the release: with a daemon that has just started, and the median of later times. */
  readonly firstMs: number;
  readonly againMs: number;
  /** Time until each node has a release that was published while they connected. */
  readonly changedMs: number;
  /** The daemon's memory: before the first node, with all of them, and after each time that they disconnected. */
  readonly emptyMb: number;
  readonly fullMb: number;
  readonly leftMb: readonly number[];
}

/** `times` times: all nodes connect at once, get a release that is published meanwhile, and disconnect. */
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
    await sleep(10_000); // V8 returns memory to the system after 8 s of idling
    leftMb.push(memoryMb(server.pid).now);
    const [firstMs = NaN, ...again] = joins;
    return { nodes, keys, firstMs, againMs: median(again), changedMs: median(changes), emptyMb, fullMb, leftMb };
  } finally {
    await server.stop();
  }
}
