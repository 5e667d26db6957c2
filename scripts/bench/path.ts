import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { builtScript } from './build.ts';
import { now } from './clock.ts';
import { Generator } from './load/generator.ts';
import { memoryMb, quiet } from './proc.ts';
import type { Row } from './push.ts';
import { daemonFolder, type DaemonFolder } from './servers/folder.ts';
import type { Marks, PathReport } from './servers/path.ts';
import { median } from './statistics.ts';

/** How the time between `git commit` and the last ACK is spent, in milliseconds. */
export interface Parts {
  /** From the end of `git commit` to our first git process. Negative: git had moved the ref before it exited. */
  readonly watch: number;
  /** Reading the changes and the file's content. */
  readonly git: number;
  readonly parse: number;
  readonly compile: number;
  /** Encoding, the rollout, the log. */
  readonly encode: number;
  /** From the offer to the last node's ACK. */
  readonly push: number;
  /** The total: from the end of `git commit` to the last node's ACK. */
  readonly total: number;
  /** The longest block of the daemon's event loop, from saving the file to the last ACK. */
  readonly still: number;
}

export interface PathResult extends Row {
  /** The median of each part. */
  readonly median: Parts;
  readonly runs: readonly Parts[];
  readonly peakMb: number;
}

export const pathRows: readonly Row[] = [
  { nodes: 1_000, keys: 20 },
  { nodes: 1_000, keys: 10_000 },
  { nodes: 200, keys: 100_000 },
];

const WARM_UP = 3;
/** A moment after a save, the daemon checks the file: wait for that, since it is not part of a commit. */
const SAVED_MS = 500;
const names = ['watch', 'git', 'parse', 'compile', 'encode', 'push', 'total', 'still'] as const;

/** Measures real commits in a real repository, with the daemon and the nodes in processes of their own. */
export async function measurePath(row: Row, runs: number): Promise<PathResult> {
  await using folder = await daemonFolder({ notes: 'local' });
  await folder.repository.commit({ 'shard-config.yaml': makeConfig(row.keys, 0) });
  await using daemon = await PathDaemon.start(folder);
  using load = new Generator();
  await load.connect({ port: daemon.port, nodes: row.nodes });
  const parts: Parts[] = [];
  for (let run = 1; run <= WARM_UP + runs; run += 1)
    parts.push(await measureCommit({ folder, daemon, load, keys: row.keys, run }));
  const counted = parts.slice(WARM_UP);
  const medians = names.map((name) => [name, median(counted.map((part) => part[name]))]);
  return {
    ...row,
    median: Object.fromEntries(medians) as unknown as Parts,
    runs: counted,
    peakMb: memoryMb(daemon.pid).peak,
  };
}

interface Commit {
  readonly folder: DaemonFolder;
  readonly daemon: PathDaemon;
  readonly load: Generator;
  readonly keys: number;
  readonly run: number;
}

async function measureCommit({ folder, daemon, load, keys, run }: Commit): Promise<Parts> {
  const { repository } = folder;
  await repository.write({ 'shard-config.yaml': makeConfig(keys, run) });
  await repository.git('add', '--all');
  await sleep(SAVED_MS);
  await quiet(daemon.pid);
  daemon.reset();
  const { reached } = await load.expect(null);
  await repository.git('commit', '--quiet', '-m', `release ${run}`);
  const committedAt = now();
  const { at: reachedAt, version } = await reached;
  await quiet(daemon.pid);
  const marks = await daemon.marks();
  if (marks.version !== version) throw new Error(`the daemon offered ${marks.version}, and the nodes have ${version}`);
  return {
    watch: marks.git - committedAt,
    git: marks.parse - marks.git,
    parse: marks.encode - marks.parse - marks.compileMs,
    compile: marks.compileMs,
    encode: marks.push - marks.encode,
    push: reachedAt - marks.push,
    total: reachedAt - committedAt,
    still: marks.stillMs,
  };
}

/** servers/path.ts in a process of its own. */
class PathDaemon implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(folder: DaemonFolder): Promise<PathDaemon> {
    const log = openSync(join(folder.path, 'log'), 'w');
    const child = fork(builtScript('servers/path.js'), [folder.config], { stdio: ['ignore', log, log, 'ipc'] });
    const report = await next(child, 'listening');
    return new PathDaemon(child, report.port);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  reset(): void {
    this.#child.send('reset');
  }

  async marks(): Promise<Marks> {
    const report = next(this.#child, 'marks');
    this.#child.send('report');
    return (await report).marks;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 15_000);
    this.#child.disconnect();
    await ended;
    clearTimeout(timer);
  }
}

async function next<T extends PathReport['type']>(
  child: ChildProcess,
  type: T,
): Promise<Extract<PathReport, { type: T }>> {
  const signal = AbortSignal.timeout(120_000);
  const [report] = (await once(child, 'message', { signal })) as [PathReport];
  if (report.type !== type) throw new Error(`the daemon said '${report.type}' instead of '${type}'`);
  return report as Extract<PathReport, { type: T }>;
}

/** A config with that many customers; each commit changes a value that every node gets. */
function makeConfig(customers: number, run: number): string {
  const lines = Array.from({ length: customers }, (_, at) => {
    const id = `customer-${String(at).padStart(6, '0')}`;
    return `    ${id}: {shard_size: ${2 + ((at + run) % 7)}}`;
  });
  return `shuffle_sharding:\n  total_hosts: 100\n  default_shard_size: 2\n  customer:\n${lines.join('\n')}\n`;
}
