import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The Envoys that the tests run on: $ENVOY_VERSIONS, or one of each version that we support (scripts/lib/tools.sh). */
export const envoyVersions = (process.env.ENVOY_VERSIONS ?? '1.36.4 1.37.0 1.38.3 1.39.3 1.40.0')
  .split(/[\s,]+/)
  .filter(Boolean);

/** The newest of them, for tests that need only one Envoy. */
export const newestEnvoy = sorted(envoyVersions).at(-1)!;

/** The oldest. */
export const oldestEnvoy = sorted(envoyVersions)[0]!;

function sorted(versions: readonly string[]): string[] {
  return [...versions].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

/** The Lua filter as shipped, and as two filters. */
export const luaFilters = { shardplane: readFileSync(join(root, 'envoy/shardplane.lua'), 'utf8') };
export const twoFilters = {
  bridge: readFileSync(join(root, 'envoy/runtime_bridge.lua'), 'utf8'),
  shard: readFileSync(join(root, 'envoy/shuffle_shard.lua'), 'utf8'),
};

/** Path of that Envoy's binary: $SHARDPLANE_ENVOY_<version> (dots as underscores), or .tools/. */
export function envoyBinary(version: string): string {
  const tools = process.env.SHARDPLANE_TOOLS ?? join(root, '.tools');
  return (
    process.env[`SHARDPLANE_ENVOY_${version.replaceAll('.', '_')}`] ?? join(tools, `envoy-${version}/envoy/_bin/envoy`)
  );
}

/**
 * For the `skip` option of a test: a reason when that Envoy is missing, else false.
 * With REQUIRE_ENVOY=1 nothing is skipped, and startEnvoy fails.
 */
export function skipWithout(version: string): string | false {
  if (process.env.REQUIRE_ENVOY === '1' || existsSync(envoyBinary(version))) return false;
  return `Envoy ${version} is missing: ./scripts/setup.sh --envoy ${version}`;
}

export interface EnvoyOptions {
  /** Default: the newest. */
  readonly version?: string;
  /** The bootstrap's text. `ADMIN_SOCKET` in it becomes the path of the admin socket. */
  readonly bootstrap: string;
  /** Worker threads. Default: 1. */
  readonly concurrency?: number;
  readonly logLevel?: 'trace' | 'debug' | 'info' | 'warning' | 'error';
  /** More command line arguments. */
  readonly args?: readonly string[];
  /** Enables hot restart; `args` then set the epoch. Default: false. */
  readonly hotRestart?: boolean;
  /** Its folder, with the admin socket in it. Default: a new one. */
  readonly folder?: string;
  /** Wait for /ready. Default: true. */
  readonly ready?: boolean;
}

export interface AdminResponse {
  readonly status: number;
  readonly body: string;
}

/** A running Envoy of a test. */
export interface Envoy extends AsyncDisposable {
  readonly version: string;
  readonly pid: number;
  /** Path of its admin socket. */
  readonly adminSocket: string;
  /** Its output so far. */
  logs(): string;
  /** Calls its admin interface. */
  admin(path: string, method?: 'GET' | 'POST'): Promise<AdminResponse>;
  /** A counter's or gauge's value, a text readout's text, or null if there is none with that name. */
  stat(name: string): Promise<string | null>;
  /** The port that the listener of that name got. */
  port(listener?: string): Promise<number>;
  /** Stops it and removes its folder. */
  stop(): Promise<void>;
  /** Sends a signal: SIGSTOP, SIGCONT, SIGKILL ... */
  kill(signal: NodeJS.Signals): void;
}

const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** Starts a real Envoy with its admin on a Unix socket in a folder of its own, and waits until it is ready (20 s at most). */
export async function startEnvoy(options: EnvoyOptions): Promise<Envoy> {
  const version = options.version ?? newestEnvoy;
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'shardplane-envoy-'));
  const socket = join(folder, 'admin.sock');
  const config = join(folder, 'envoy.yaml');
  writeFileSync(config, options.bootstrap.replaceAll('ADMIN_SOCKET', socket));
  const child = launch(version, config, options);
  const envoy = handle({ version, child, folder, socket });
  try {
    if (options.ready !== false) await untilReady(envoy, child);
  } catch (error) {
    await envoy.stop();
    throw error;
  }
  return envoy;
}

function launch(version: string, config: string, options: EnvoyOptions): ChildProcess {
  const { concurrency = 1, logLevel = 'warning', args = [] } = options;
  const flags = ['-c', config, '--concurrency', String(concurrency), '--log-level', logLevel];
  if (options.hotRestart !== true) flags.push('--disable-hot-restart');
  const child = spawn(envoyBinary(version), [...flags, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

interface Parts {
  readonly version: string;
  readonly child: ChildProcess;
  readonly folder: string;
  readonly socket: string;
}

function handle({ version, child, folder, socket }: Parts): Envoy {
  let logs = '';
  const collect = (chunk: Buffer) => (logs += chunk.toString());
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', (error) => {
      logs += error.message;
      resolve();
    });
  });
  const admin = (path: string, method: 'GET' | 'POST' = 'GET') => callAdmin({ socket, path, method });
  const stop = async () => {
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
    await gone;
    clearTimeout(timer);
    rmSync(folder, { recursive: true, force: true });
  };
  return {
    version,
    pid: child.pid ?? 0,
    adminSocket: socket,
    logs: () => logs,
    admin,
    stat: async (name) => statOf((await admin(`/stats?filter=${encodeURIComponent(`^${name}$`)}`)).body),
    port: async (name = 'ingress') => portOf((await admin('/listeners?format=json')).body, name),
    stop,
    kill: (signal) => void child.kill(signal),
    [Symbol.asyncDispose]: stop,
  };
}

function statOf(body: string): string | null {
  const text = /^[^:]+: (.*)$/m.exec(body)?.[1];
  return text === undefined ? null : text.replace(/^"(.*)"$/, '$1');
}

interface ListenerStatus {
  name: string;
  local_address: { socket_address: { port_value: number } };
}

function portOf(body: string, name: string): number {
  const { listener_statuses: all } = JSON.parse(body) as { listener_statuses: ListenerStatus[] };
  const found = all.find((listener) => listener.name === name);
  if (found === undefined) throw new Error(`Envoy has no listener ${name}: ${body}`);
  return found.local_address.socket_address.port_value;
}

function callAdmin({ socket, path, method }: { socket: string; path: string; method: string }): Promise<AdminResponse> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: socket, path, method, timeout: 10_000, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    call.on('timeout', () => call.destroy(new Error(`Envoy's admin did not answer ${path} in 10 s`)));
    call.on('error', reject);
    call.end();
  });
}

async function untilReady(envoy: Envoy, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
      throw new Error(`Envoy ${envoy.version} did not start: ${envoy.logs()}`);
    }
    const answer = await envoy.admin('/ready').catch(() => null);
    if (answer?.status === 200) return;
    await pause(20);
  }
  throw new Error(`Envoy ${envoy.version} was not ready in 20 s: ${envoy.logs()}`);
}
