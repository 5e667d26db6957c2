import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { toPorts } from '../../scripts/demo/ports.ts';
import type { Ports } from '../../scripts/demo/ports.ts';
import { envoyBinary, newestEnvoy } from '../helpers/envoy.ts';
import { readProcesses } from '../helpers/processes.ts';
import { until } from '../helpers/until.ts';

const script = fileURLToPath(new URL('../../scripts/start_with_xds.sh', import.meta.url));

export interface Demo {
  /** The group of all its processes. */
  readonly group: number;
  /** All that it has printed so far, on stdout and on stderr. */
  output(): string;
  readonly exitCode: Promise<number | null>;
  /** Waits for a text in the output. */
  sees(text: string): Promise<void>;
}

const groups = new Set<number>();
process.once('exit', () => groups.forEach((group) => signalGroup(group, 'SIGKILL')));

/** Runs the demo with `temporary` as its $TMPDIR. */
export function startDemo(args: readonly string[], temporary: string, env: Record<string, string> = {}): Demo {
  const own = { ENVOY_BIN: envoyBinary(newestEnvoy), TMPDIR: temporary, NO_COLOR: '1' };
  const child = spawn(script, args, { detached: true, env: { ...process.env, ...own, ...env } });
  let output = '';
  const collect = (chunk: Buffer): void => void (output += chunk.toString());
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const exitCode = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  let ended = false;
  void exitCode.then(() => {
    ended = true;
    groups.delete(child.pid ?? 0);
  });
  const sees = async (text: string): Promise<void> => {
    await until(text, () => output.includes(text) || ended, 60_000);
    if (!output.includes(text)) throw new Error(`the demo has ended without "${text}":\n${output}`);
  };
  groups.add(child.pid ?? 0);
  return { group: child.pid ?? 0, output: () => output, exitCode, sees };
}

/** Sends a signal to a process group; false when nobody is in it. */
export function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}

/** An offset for the demo's ports at which they are all free. */
export async function freeOffset(): Promise<number> {
  for (;;) {
    const offset = 1_000 + Math.floor(Math.random() * 12_000);
    if (await areFree(toPorts(offset, 3))) return offset;
  }
}

async function areFree({ xds, http, envoys, backends }: Ports): Promise<boolean> {
  for (const port of [xds, http, ...envoys, ...backends]) if (!(await isFree(port))) return false;
  return true;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** No process, no port, no file. */
export async function assertNothingLeft(demo: Demo, offset: number, temporary: string): Promise<void> {
  assert.equal(signalGroup(demo.group, 0), false, 'a process is left');
  assert.ok(await areFree(toPorts(offset, 3)), 'a port is held');
  assert.deepEqual(await readdir(temporary), [], 'a file is left');
}

/** The process of a group whose command line has that word. */
export async function findProcess(group: number, word: string): Promise<number> {
  for (const [pid, line] of await readProcesses('cmdline')) {
    if (!line.split('\0').includes(word)) continue;
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]) === group) return pid;
  }
  throw new Error(`no process with ${word} in group ${group}`);
}
