import { gitEnvironment, type GitEnvironment } from './environment.ts';
import { GitError } from './git-error.ts';
import { runByHelper } from './helper.ts';
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
  const { signal, onStart, redact = (text: string) => text } = options;
  if (signal?.aborted === true) throw new GitError('git-aborted', `${what} was not started: stopping`);
  const call = {
    ...{ program, args, what, cwd: options.cwd ?? '/', env: gitEnvironment(process.env, options) },
    timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
    maxOutputBytes: options.maxOutputBytes ?? 64 * 1024 * 1024,
    maxMemoryBytes: options.maxMemoryBytes ?? null,
    input: options.input ?? '',
  };
  const { failure, ...end } = await runByHelper(call, { signal, onStart });
  if (failure !== null) throw new GitError(failure.code, failure.message, failure.hint);
  const output = { ...end, stderr: redact(end.stderr) };
  const { exitCode } = output;
  if (exitCode === null || !(options.answers ?? [0]).includes(exitCode)) {
    throw new GitExit(`${what}: ${complaint(output.stderr) || `ended with ${exitCode ?? 'a signal'}`}`, output);
  }
  return { ...output, exitCode };
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
