import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { buildGo, builtScript } from './build.ts';

/** A server that can be measured: started as `command ...args KEYS`, driven over stdin (servers/commands.ts). */
export interface Contender {
  readonly name: 'shardplane' | 'go-control-plane' | 'bare grpc-js';
  readonly command: readonly [string, ...string[]];
}

/** A running contender. */
export interface RunningContender {
  readonly pid: number;
  readonly port: number;
  /** Publishes a release. */
  readonly change: (release: number) => void;
  readonly stop: () => Promise<void>;
}

export const shardplane: Contender = script('shardplane', 'servers/shardplane.js');

/** The servers that can be compared on this machine; `missing`: why go-control-plane is not among them. */
export async function findContenders(): Promise<{ contenders: readonly Contender[]; missing: string | null }> {
  const bare = script('bare grpc-js', 'servers/bare.js');
  const go = await buildGo();
  if (typeof go === 'string') return { contenders: [shardplane, bare], missing: go };
  return { contenders: [shardplane, { name: 'go-control-plane', command: [go.binary] }, bare], missing: null };
}

function script(name: Contender['name'], file: string): Contender {
  return { name, command: [process.execPath, builtScript(file)] };
}

/** Starts a contender with releases of that many keys. Throws with the end of its log if it does not start. */
export async function startContender({ name, command }: Contender, keys: number): Promise<RunningContender> {
  const [file, ...args] = command;
  const child = spawn(file, [...args, String(keys)]);
  let log = '';
  child.stderr.on('data', (bytes: Buffer) => (log = (log + bytes.toString()).slice(-2_000)));
  child.stdin.on('error', () => undefined); // EPIPE: it has exited, which the load generator reports
  const stop = async (): Promise<void> => {
    child.stdin.end();
    await ended(child);
  };
  const port = await portOf(child);
  if (port !== null)
    return { pid: child.pid ?? 0, port, change: (release) => void child.stdin.write(`${release}\n`), stop };
  await stop();
  throw new Error(`${name} did not start: ${log}`);
}

/** The port that it prints; null if it exits without, or prints nothing for a minute. */
async function portOf(child: ChildProcessWithoutNullStreams): Promise<number | null> {
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const port = /^listening (\d+)$/.exec(line)?.[1];
      if (port !== undefined) return Number(port);
    }
    return null;
  } finally {
    clearTimeout(timer);
  }
}

async function ended(child: ChildProcessWithoutNullStreams): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await new Promise<void>((resolve) => child.once('exit', () => resolve()));
  clearTimeout(timer);
}
