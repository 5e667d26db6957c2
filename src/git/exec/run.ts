import { spawn, type ChildProcess } from 'node:child_process';
import { gitEnvironment, type GitEnvironment } from './environment.ts';
import { GitError } from './git-error.ts';
import { memoryOf } from './process-memory.ts';
import type { Redact } from '../../secrets.ts';

/** How to run one git process. Leave `gitDir` out only where git has to find the repository itself. */
export interface RunOptions extends GitEnvironment {
  /** Working directory; `/` by default, since no path that we pass is relative. */
  readonly cwd?: string;
  readonly timeoutMs?: number;
  readonly input?: Buffer | string;
  /** A process that writes more to stdout is killed: `git-output-too-large`. */
  readonly maxOutputBytes?: number;
  readonly signal?: AbortSignal;
  /** Called with the id of the process (and process group) once it runs. */
  readonly onStart?: (pid: number) => void;
  /** Exit codes that are answers, not failures; 0 by default. */
  readonly answers?: readonly number[];
  /** Applied to stderr. */
  readonly redact?: Redact;
  /** When it and its children use more memory (Linux), they are killed: `remote-too-large`. */
  readonly maxMemoryBytes?: number;
}

/** The output of a git process. */
export interface GitOutput {
  readonly stdout: Buffer;
  /** Cut at 16 KiB. */
  readonly stderr: string;
  readonly exitCode: number;
}

/** A git process ended with an exit code that is not among `answers`; `stdout` is what it wrote until then. */
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

/** Far more than reading the local object database takes: only something broken is killed. */
const defaultTimeoutMs = 20_000;

/**
 * Runs one git plumbing command, without a shell, in the environment of environment.ts, in a process group of its own
 * that is killed as a whole (children of git too) on timeout, abort or too much output.
 * Throws GitError: `git-missing`, `git-timeout`, `git-aborted`, `git-output-too-large`, or GitExit (`git-failed`).
 */
export async function runGit(args: readonly string[], options: RunOptions = {}): Promise<GitOutput> {
  return await runProgram('git', args, options);
}

/** The same for a program that works with git (gpg). */
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
    stop(new GitError('remote-too-large', `${what} needed too much memory for what the remote sent`, manyRefs)),
  );
  const stdout = collect(child, 'stdout', maxOutputBytes, () =>
    stop(new GitError('git-output-too-large', `${what} wrote more than ${maxOutputBytes} bytes`)),
  );
  const stderr = collect(child, 'stderr', stderrLimit, () => undefined);
  child.stdin?.on('error', () => undefined); // EPIPE: git ended first, and its exit code says why
  child.stdin?.end(options.input);
  return new Promise((resolve) => {
    const end = (exitCode: number | null): void => {
      clearTimeout(timer);
      clearInterval(meter);
      signal?.removeEventListener('abort', aborted);
      const text = Buffer.concat(stderr).toString('utf8');
      resolve({ failure, exitCode, stdout: Buffer.concat(stdout), stderr: options.redact?.(text) ?? text });
    };
    void notSpawned.then(() => end(null));
    // a process that left the group may hold the pipes open: after a kill, wait for the child alone
    child.on('exit', () => failure !== null && release(child));
    child.on('close', end);
  });
}

/** Throws GitError `git-failed` when spawning fails (no memory, arguments too long). */
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

/** What git (or ssh, or the remote) complained about, in one line: git's own errors first. */
function complaint(stderr: string): string {
  const lines = stderr.split(/[\r\n]+/).filter((line) => line.trim() !== '' && !noise.test(line));
  const [own, others] = [lines.filter((line) => reason.test(line)), lines.filter((line) => !reason.test(line))];
  const words = [...own, ...others].map((line) => line.replace(reason, '').trim());
  return [...new Set(words)].join('; ').slice(0, 500);
}
