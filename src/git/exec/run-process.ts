import { ChildProcess, spawn } from 'node:child_process';
import type { GitError } from './git-error.ts';
import { memoryOf } from './process-memory.ts';

/** A program to run, as data that another process can be sent (helper.ts). */
export interface Call {
  readonly program: string;
  readonly args: readonly string[];
  /** For messages. */
  readonly what: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
  readonly input: Uint8Array | string;
  readonly maxOutputBytes: number;
  readonly maxMemoryBytes: number | null;
}

/** How it ended. `failure`: it could not be started, or was killed. */
export interface End {
  readonly failure: Failure | null;
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  /** Cut at 16 KiB. */
  readonly stderr: string;
}

export type Failure = Pick<GitError, 'code' | 'message' | 'hint'>;

export interface Hooks {
  readonly signal: AbortSignal | undefined;
  /** Called with the id of the process (and process group) once it runs; when it throws, that is killed. */
  readonly onStart: ((pid: number) => void) | undefined;
}

const stderrLimit = 16 * 1024;

/** Runs a program in a process group of its own, which is killed as a whole when it exceeds a limit, or on abort. Rejects only with what `onStart` throws. */
export function runProcess(call: Call, { signal, onStart }: Hooks): Promise<End> {
  const { program, what, timeoutMs, maxOutputBytes } = call;
  const child = start(call);
  if (!(child instanceof ChildProcess)) return Promise.resolve(endOf(child));
  let failure: Failure | null = null;
  const notSpawned = new Promise<void>((resolve) => {
    child.on('error', (error) => {
      failure ??= notStarted(program, error);
      if (child.pid === undefined) resolve(); // without file descriptors left there are no streams, and no `close`
    });
  });
  const stop = (code: Failure['code'], message: string, hint: string | null = null): void => {
    failure ??= { code, message, hint };
    if (child.pid !== undefined && !killGroup(child.pid)) child.kill('SIGKILL');
    if (child.exitCode !== null || child.signalCode !== null) release(child);
  };
  const aborted = (): void => stop('git-aborted', `${what} was cut short: stopping`);
  const timer = setTimeout(
    () => stop('git-timeout', `${what} gave no answer in ${timeoutMs} ms`, 'is the disk or the remote responding?'),
    timeoutMs,
  );
  signal?.addEventListener('abort', aborted, { once: true });
  const meter = watchMemory(child, call.maxMemoryBytes, () =>
    stop('remote-too-large', `${what} needed too much memory for what the remote sent`, manyRefs),
  );
  const stdout = collect(child, 'stdout', maxOutputBytes, () =>
    stop('git-output-too-large', `${what} wrote more than ${maxOutputBytes} bytes`),
  );
  const stderr = collect(child, 'stderr', stderrLimit, () => undefined);
  child.stdin?.on('error', () => undefined); // EPIPE: git ended first, and its exit code says why
  child.stdin?.end(call.input);
  return new Promise((resolve, reject) => {
    const end = (exitCode: number | null): void => {
      clearTimeout(timer);
      clearInterval(meter);
      signal?.removeEventListener('abort', aborted);
      const text = Buffer.concat(stderr).toString('utf8');
      resolve({ failure, exitCode, stdout: Buffer.concat(stdout), stderr: text });
    };
    void notSpawned.then(() => end(null));
    // a process that left the group may hold the pipes open: after a kill, wait for the child alone
    child.on('exit', () => failure !== null && release(child));
    child.on('close', end);
    try {
      if (child.pid !== undefined) onStart?.(child.pid);
    } catch (error) {
      aborted();
      reject(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

/** The end of a program that gave no output. */
export function endOf(failure: Failure): End {
  return { failure, exitCode: null, stdout: Buffer.alloc(0), stderr: '' };
}

function start({ program, args, cwd, env }: Call): ChildProcess | Failure {
  try {
    return spawn(program, args, { cwd, env, detached: true, windowsHide: true, stdio: 'pipe' });
  } catch (error) {
    return notStarted(program, error instanceof Error ? error : new Error(String(error))); // no memory, arguments too long
  }
}

const manyRefs = 'is the URL the right repository? git holds all refs that a server names in memory';

function watchMemory({ pid }: ChildProcess, limit: number | null, onFull: () => void): NodeJS.Timeout | undefined {
  if (pid === undefined || limit === null) return undefined;
  return setInterval(() => void memoryOf(pid).then((bytes) => bytes > limit && onFull()), 200);
}

/** Collects a stream up to a limit; the rest is dropped, and `onFull` called. */
function collect(child: ChildProcess, name: 'stdout' | 'stderr', limit: number, onFull: () => void): Buffer[] {
  const chunks: Buffer[] = [];
  let room = limit;
  child[name]?.on('data', (chunk: Buffer) => {
    if (room > 0) chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
    if (chunk.length > room) onFull();
    room = Math.max(0, room - chunk.length);
  });
  return chunks;
}

/** Kills a process group; false: it is gone already. */
export function killGroup(pid: number): boolean {
  try {
    return process.kill(-pid, 'SIGKILL');
  } catch {
    return false;
  }
}

function release(child: ChildProcess): void {
  child.stdout?.destroy();
  child.stderr?.destroy();
}

function notStarted(program: string, error: NodeJS.ErrnoException): Failure {
  const words = `${program} could not be started`;
  if (error.code !== 'ENOENT') return { code: 'git-failed', message: `${words}: ${error.message}`, hint: null };
  const message = `${words}: it is not on the PATH`;
  if (program !== 'git') return { code: 'bad-setting', message, hint: `install ${program}` };
  return { code: 'git-missing', message, hint: 'install git 2.31 or newer' };
}
