import { spawn, type ChildProcess } from 'node:child_process';
import { gitEnvironment, type GitEnvironment } from './environment.ts';
import { GitError } from './error.ts';
import { memoryOf } from './process-memory.ts';
import type { Redact } from '../../secrets.ts';

/** How one git process runs. `gitDir` is left out only where git is to find the repository itself. */
export interface RunOptions extends GitEnvironment {
  /** Working directory, `/` by default: no path that we pass is relative to it. */
  readonly cwd?: string;
  readonly timeoutMs?: number;
  readonly input?: Buffer | string;
  /** More on stdout than this ends the process with `git-output-too-large`. */
  readonly maxOutputBytes?: number;
  readonly signal?: AbortSignal;
  /** Told the process (and process group) id once it runs. */
  readonly onStart?: (pid: number) => void;
  /** Exit codes that are answers, not failures; 0 by default. */
  readonly answers?: readonly number[];
  /** What it says on stderr goes through this first. */
  readonly redact?: Redact;
  /** When it and its children hold more memory (Linux), they are ended with `remote-too-large`. */
  readonly maxMemoryBytes?: number;
}

/** What a git process said. */
export interface GitOutput {
  readonly stdout: Buffer;
  /** Cut at 16 KiB. */
  readonly stderr: string;
  readonly exitCode: number;
}

/** A git process that ended with an exit code that is no answer; `stdout` holds what it had said by then. */
export class GitExit extends GitError {
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;

  constructor(
    message: string,
    { exitCode, stdout, stderr }: { exitCode: number | null; stdout: Buffer; stderr: string },
  ) {
    super('git-failed', message);
    this.exitCode = exitCode;
    this.stdout = stdout;
    this.stderr = stderr;
  }
}

const stderrLimit = 16 * 1024;

/** For the local object database: far more than it takes, so that only something broken is cut off. */
export const defaultTimeoutMs = 20_000;

/**
 * Runs one git plumbing command, without a shell, in the environment of environment.ts, in a process group of its own
 * that is killed as a whole (children of git too) on timeout, abort or too much output.
 * Throws GitError: `git-missing`, `git-timeout`, `git-aborted`, `git-output-too-large`, or GitExit (`git-failed`).
 */
export async function runGit(args: readonly string[], options: RunOptions = {}): Promise<GitOutput> {
  return await runProgram('git', args, options);
}

/** The same for a program that works beside git (gpg). */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<GitOutput> {
  const what = `${program} ${args.find((argument) => !argument.startsWith('-')) ?? ''}`.trim();
  if (options.signal?.aborted === true) throw new GitError('git-aborted', `${what} was not started: stopping`);
  const end = await runProcess({ program, args, what }, options);
  if (end.failure !== null) throw end.failure;
  if (end.exitCode === null || !(options.answers ?? [0]).includes(end.exitCode)) {
    throw new GitExit(`${what}: ${complaint(end.stderr) || `ended with ${end.exitCode ?? 'a signal'}`}`, end);
  }
  return { stdout: end.stdout, stderr: end.stderr, exitCode: end.exitCode };
}

interface Call {
  readonly program: string;
  readonly args: readonly string[];
  /** For messages. */
  readonly what: string;
}

interface End {
  readonly failure: GitError | null;
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

function runProcess({ program, args, what }: Call, options: RunOptions): Promise<End> {
  const { timeoutMs = defaultTimeoutMs, maxOutputBytes = 64 * 1024 * 1024, signal } = options;
  const child = start(program, args, options);
  let failure: GitError | null = null;
  const notSpawned = new Promise<void>((resolve) => {
    child.on('error', (error) => {
      failure ??= notStarted(program, error);
      if (child.pid === undefined) resolve(); // without file descriptors left there are no streams, and no `close`
    });
  });
  if (child.pid !== undefined) options.onStart?.(child.pid);
  const stop = (error: GitError): void => {
    failure ??= error;
    killGroup(child);
    if (child.exitCode !== null || child.signalCode !== null) release(child);
  };
  const aborted = (): void => stop(new GitError('git-aborted', `${what} was cut short: stopping`));
  const timer = setTimeout(
    () =>
      stop(
        new GitError(
          'git-timeout',
          `${what} gave no answer in ${timeoutMs} ms`,
          'is the disk or the remote responding?',
        ),
      ),
    timeoutMs,
  );
  signal?.addEventListener('abort', aborted, { once: true });
  const meter = watchMemory(child, options.maxMemoryBytes, () =>
    stop(new GitError('remote-too-large', `${what} took too much memory for what the remote sent`, manyRefs)),
  );
  const stdout = collect(child, 'stdout', maxOutputBytes, () =>
    stop(new GitError('git-output-too-large', `${what} said more than ${maxOutputBytes} bytes`)),
  );
  const stderr = collect(child, 'stderr', stderrLimit, () => undefined);
  child.stdin?.on('error', () => undefined); // EPIPE: git ended first, and its exit code tells why
  child.stdin?.end(options.input);
  return new Promise((resolve) => {
    const end = (exitCode: number | null): void => {
      clearTimeout(timer);
      clearInterval(meter);
      signal?.removeEventListener('abort', aborted);
      const said = Buffer.concat(stderr).toString('utf8');
      resolve({ failure, exitCode, stdout: Buffer.concat(stdout), stderr: options.redact?.(said) ?? said });
    };
    void notSpawned.then(() => end(null));
    // what escaped the group may hold the pipes open: after a kill, wait for the child alone
    child.on('exit', () => failure !== null && release(child));
    child.on('close', end);
  });
}

/** Throws GitError `git-failed` for what can't even be tried (no memory, arguments that are too long). */
function start(program: string, args: readonly string[], options: RunOptions): ChildProcess {
  try {
    return spawn(program, args, {
      cwd: options.cwd ?? '/',
      env: gitEnvironment(process.env, options),
      detached: true,
      windowsHide: true,
      stdio: 'pipe',
    });
  } catch (error) {
    throw notStarted(program, error instanceof Error ? error : new Error(String(error)));
  }
}

const manyRefs = 'is the URL the right repository? git holds all refs that a server names in memory';

function watchMemory({ pid }: ChildProcess, limit: number | undefined, onFull: () => void): NodeJS.Timeout | undefined {
  if (pid === undefined || limit === undefined) return undefined;
  return setInterval(() => void memoryOf(pid).then((bytes) => bytes > limit && onFull()), 200);
}

/** Gathers a stream up to a limit; what comes after is dropped, and said once. */
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

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL'); // the group is gone already
  }
}

function release(child: ChildProcess): void {
  child.stdout?.destroy();
  child.stderr?.destroy();
}

function notStarted(program: string, error: NodeJS.ErrnoException): GitError {
  const words = `${program} could not be started`;
  if (error.code !== 'ENOENT') return new GitError('git-failed', `${words}: ${error.message}`);
  if (program !== 'git') return new GitError('bad-setting', `${words}: it is not on the PATH`, `install ${program}`);
  return new GitError('git-missing', `${words}: it is not on the PATH`, 'install git 2.31 or newer');
}

const noise = /^(hint|warning):|^@|^Please make sure you have the correct access rights|^and the repository exists\.$/;
const reason = /^(fatal|error):\s*/;

/** What git (or ssh, or the remote) complained of, in one line: git's own reasons first. */
function complaint(stderr: string): string {
  const lines = stderr.split(/[\r\n]+/).filter((line) => line.trim() !== '' && !noise.test(line));
  const [own, others] = [lines.filter((line) => reason.test(line)), lines.filter((line) => !reason.test(line))];
  const words = [...own, ...others].map((line) => line.replace(reason, '').trim());
  return [...new Set(words)].join('; ').slice(0, 500);
}
