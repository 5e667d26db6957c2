import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { Status } from '../../src/http/api.ts';
import type { HistoryEntry } from '../../src/ledger/store.ts';
import { gitEnv } from './git.ts';
import { until } from './until.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** The result of a command. `code` is null when a signal ended it. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `shardplane ARGS` to its end, 30 s at most. */
export function shardplane(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const child = launch(args, options);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.end(options.input ?? '');
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
}

export interface RunOptions {
  /** Working directory. Default: `/`, which has no settings file. */
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly input?: string;
}

export interface DaemonOptions {
  /** Passed as a flag; leave it out when the settings name a remote. */
  readonly repository?: string;
  /** An existing folder for the settings and (in `state/`) the ledger. */
  readonly folder: string;
  /** Content of the settings file. */
  readonly settings?: object;
}

/** A line of the daemon's log. */
export interface LogLine {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
  readonly drawn?: string;
  readonly hint?: string;
}

/** The real daemon, as a child process. */
export interface TestDaemon extends AsyncDisposable {
  readonly pid: number;
  /** The same across restarts. */
  readonly xdsPort: number;
  readonly httpPort: number;
  readonly state: string;
  /** Lines of the log so far, across restarts. */
  log(): LogLine[];
  /** The first line whose text (message and drawing) matches; waits up to 30 s. */
  logged(what: RegExp): Promise<LogLine>;
  status(): Promise<Status>;
  /** GET over its HTTP port. */
  get(path: string): Promise<{ status: number; body: string }>;
  /** Runs `shardplane ARGS` for this daemon. */
  run(...args: string[]): Promise<Ended>;
  /** The same with `--json`, parsed. */
  json<T>(...args: string[]): Promise<T>;
  history(): Promise<HistoryEntry[]>;
  /** Polls the status until it matches, and returns it. */
  waitFor(what: string, predicate: (status: Status) => unknown, timeoutMs?: number): Promise<Status>;
  /** Waits until this version is live and the head. */
  waitForLive(version: string, timeoutMs?: number): Promise<Status>;
  /** Sends a signal; for one that ends the process, resolves to the exit code (null: ended by the signal). */
  kill(signal: NodeJS.Signals): Promise<number | null>;
  /** Starts it again, on the same xDS port. */
  restart(): Promise<void>;
}

/** Starts the daemon and waits until it listens (20 s at most). Rejects with its stderr if it exits first. */
export async function startDaemon({ repository, folder, settings }: DaemonOptions): Promise<TestDaemon> {
  const state = join(folder, 'state');
  const flags = [...(repository === undefined ? [] : ['--repository', repository]), '--state', state];
  if (settings !== undefined) {
    writeFileSync(join(folder, 'shardplane.yaml'), stringify(settings));
    flags.push('--config', join(folder, 'shardplane.yaml'));
  }
  const serve = (xdsPort: number) =>
    launchDaemon([...flags, '--xds-port', String(xdsPort), '--http-port', '0'], { cwd: folder });
  const before: LogLine[] = [];
  let now = await serve(0);
  const get = (path: string) => httpGet(now.httpPort, path);
  const status = async (): Promise<Status> => JSON.parse((await get('/api/v1/status')).body) as Status;
  const run = (...args: string[]) => shardplane([...args, ...flags], { cwd: folder });
  const json = async <T>(...args: string[]): Promise<T> => {
    const { code, stdout, stderr } = await run(...args, '--json');
    if (stdout === '') throw new Error(`shardplane ${args.join(' ')} ended with ${String(code)}: ${stderr}`);
    return JSON.parse(stdout) as T;
  };
  const log = () => [...before, ...now.lines];
  const kill = async (signal: NodeJS.Signals) => {
    now.child.kill(signal);
    return /^SIG(STOP|CONT|HUP|USR.)$/.test(signal) ? null : await now.ended;
  };
  const waitFor: TestDaemon['waitFor'] = async (what, predicate, timeoutMs) => {
    let last: Status | null = null;
    const probe = async () => {
      last = await status();
      return predicate(last) ? last : null;
    };
    return until(what, probe, timeoutMs).catch((error: unknown) => {
      const tail = log()
        .slice(-30)
        .map(({ level, msg, drawn = '' }) => `${level} ${msg} ${drawn}`);
      throw new Error(`${(error as Error).message}\n${JSON.stringify(last, null, 1)}\n${tail.join('\n')}`);
    });
  };
  return {
    get pid() {
      return now.child.pid ?? 0;
    },
    xdsPort: now.xdsPort,
    get httpPort() {
      return now.httpPort;
    },
    state,
    log,
    logged: (what) =>
      until(`${String(what)} in the log`, () =>
        log().find(({ msg, drawn = '', hint = '' }) => what.test(`${msg}\n${drawn}\n${hint}`)),
      ),
    status,
    get,
    run,
    json,
    history: () => json<HistoryEntry[]>('history', '--limit', '100'),
    waitFor,
    waitForLive: (version, timeoutMs) =>
      waitFor(
        `${version} is live`,
        ({ live, head }) => live?.version === version && head?.version === version,
        timeoutMs,
      ),
    kill,
    restart: async () => {
      await kill('SIGKILL');
      before.push(...now.lines);
      now = await serve(now.xdsPort);
    },
    [Symbol.asyncDispose]: async () => {
      now.child.kill('SIGCONT');
      now.child.kill('SIGTERM');
      const timer = setTimeout(() => now.child.kill('SIGKILL'), 12_000);
      await now.ended;
      clearTimeout(timer);
    },
  };
}

const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

function launch(args: readonly string[], { cwd = '/', env = {} }: RunOptions): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [main, ...args], { cwd, env: gitEnv(env), stdio: 'pipe' });
  child.stdin.on('error', () => undefined); // it exited without reading
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

interface RunningDaemon {
  readonly child: ChildProcessWithoutNullStreams;
  readonly lines: LogLine[];
  readonly ended: Promise<number | null>;
  readonly xdsPort: number;
  readonly httpPort: number;
}

async function launchDaemon(args: readonly string[], options: RunOptions): Promise<RunningDaemon> {
  const child = launch(['serve', ...args], options);
  const lines: LogLine[] = [];
  let stderr = '';
  let rest = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    const parts = `${rest}${chunk.toString()}`.split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) if (line.startsWith('{')) lines.push(JSON.parse(line) as LogLine);
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const listening = () => {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the daemon did not start: ${stderr}`);
    return lines.map(({ msg }) => /^xDS on .*:(\d+), status on http:.*:(\d+)$/.exec(msg)).find(Boolean);
  };
  const [, xdsPort, httpPort] = await until('the daemon listens', listening, 20_000);
  return { child, lines, ended, xdsPort: Number(xdsPort), httpPort: Number(httpPort) };
}

function httpGet(port: number, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path, timeout: 10_000, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    });
    call.on('timeout', () => call.destroy(new Error(`the daemon did not answer ${path} in 10 s`)));
    call.on('error', reject);
    call.end();
  });
}
