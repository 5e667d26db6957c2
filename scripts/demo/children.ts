import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { DemoError } from './error.ts';

export interface Program {
  /** The name that is shown to the user. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Called with each line that it prints. */
  readonly onLine?: (line: string) => void;
}

/** How long a program may take to exit: the daemon drains its streams. */
const patienceMs = 5_000;
const keptLines = 20;

/** The programs that the demo has started. None outlives `stop()`. */
export class Children {
  readonly #running = new Map<ChildProcess, Promise<void>>();
  readonly #tails = new Map<string, readonly string[]>();
  readonly #failure = Promise.withResolvers<never>();
  #stopping = false;

  constructor() {
    this.#failure.promise.catch(() => undefined); // nothing may be awaiting it yet
  }

  /** Rejects with DemoError when a program exits unexpectedly. */
  get failure(): Promise<never> {
    return this.#failure.promise;
  }

  start(program: Program): void {
    if (this.#stopping) throw new Error('the demo is ending');
    const { name, command, args, cwd } = program;
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    const lines = collectLines(child, program);
    this.#tails.set(name, lines);
    const gone = new Promise<void>((resolve) => {
      child.once('error', (error) => lines.push(error.message));
      child.once('close', () => resolve());
    });
    this.#running.set(child, gone);
    void gone.then(() => {
      this.#running.delete(child);
      if (!this.#stopping) this.#failure.reject(toError(name, lines));
    });
  }

  /** The last lines of each program that said anything, by its name. */
  tails(): Map<string, readonly string[]> {
    return new Map([...this.#tails].filter(([, lines]) => lines.length > 0));
  }

  /** Stops all programs, newest first: Envoy before the daemon that it is connected to. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const [child, gone] of [...this.#running].reverse()) {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
      await gone;
      clearTimeout(timer);
    }
  }
}

/** The last lines that it prints. */
function collectLines(child: ChildProcess, { onLine }: Program): string[] {
  const lines: string[] = [];
  for (const input of [child.stdout, child.stderr]) {
    if (!input) continue;
    createInterface({ input }).on('line', (line) => {
      lines.push(line);
      if (lines.length > keptLines) lines.shift();
      onLine?.(line);
    });
  }
  return lines;
}

function toError(name: string, lines: readonly string[]): DemoError {
  const telling = lines.findLast((line) => /error|critical|fail|EADDR/i.test(line)) ?? lines.at(-1);
  return new DemoError(
    `${name} has ended: ${telling?.trim() ?? 'it said nothing'}`,
    'all that the demo started is stopped; run it again, and report this if it stays',
  );
}
