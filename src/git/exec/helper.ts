import { fork, type ChildProcess } from 'node:child_process';
import { endOf, killGroup, runProcess, type Call, type End, type Hooks } from './run-process.ts';

/** What the helper is sent. */
export type ToHelper =
  { readonly type: 'run'; readonly id: number; readonly call: Call } | { readonly type: 'abort'; readonly id: number };

/** What it answers. */
export type FromHelper =
  | { readonly type: 'started'; readonly id: number; readonly pid: number }
  | { readonly type: 'ended'; readonly id: number; readonly end: End };

/** `.ts` in the source tree, `.js` in the package. */
const script = new URL(
  import.meta.url.endsWith('.ts') ? './helper-process.ts' : './helper-process.js',
  import.meta.url,
);

/** How much later than a program's time limit the helper may answer: then it is killed. */
const graceMs = 5_000;

let helper: Helper | null = null;

/**
 * From now on a helper, a small process, starts the programs: forking a process stops its threads while its page table is copied, 10 to
 * 100 ms for a daemon of 400 MB. Call it while the daemon is small.
 */
export function startHelper(): void {
  helper ??= new Helper();
}

/** Ends the helper, and what it runs: programs are started from this process again. */
export function stopHelper(): void {
  helper?.stop();
  helper = null;
}

/** Like `runProcess`; by the helper if there is one. */
export function runByHelper(call: Call, hooks: Hooks): Promise<End> {
  return helper === null ? runProcess(call, hooks) : helper.run(call, hooks);
}

interface Running {
  readonly onStart: Hooks['onStart'];
  readonly onEnd: (end: End) => void;
  readonly onError: (error: unknown) => void;
  /** The process group, once it runs. */
  pid: number | null;
}

/** The helper ends with this process, however that ends; if it is killed itself, the next call starts another. */
class Helper {
  #process: ChildProcess | null = null;
  readonly #running = new Map<number, Running>();
  #calls = 0;

  constructor() {
    this.#start();
  }

  async run(call: Call, { signal, onStart }: Hooks): Promise<End> {
    const process = this.#process ?? this.#start();
    const id = (this.#calls += 1);
    const { promise, resolve, reject } = Promise.withResolvers<End>();
    this.#running.set(id, { onStart, onEnd: resolve, onError: reject, pid: null });
    const abort = (): void => send(process, { type: 'abort', id });
    const timer = setTimeout(() => process.kill('SIGKILL'), call.timeoutMs + graceMs);
    process.channel?.ref();
    signal?.addEventListener('abort', abort, { once: true });
    send(process, { type: 'run', id, call });
    try {
      return await promise;
    } catch (error) {
      abort();
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      this.#running.delete(id);
      if (this.#running.size === 0) process.channel?.unref();
    }
  }

  stop(): void {
    if (this.#process?.connected === true) this.#process.disconnect();
  }

  #start(): ChildProcess {
    const started = fork(script, {
      detached: true, // Ctrl-C is for the daemon, which still needs git to shut down
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    started.on('message', (message) => this.#onMessage(message as FromHelper));
    started.once('error', () => this.#onEnd(started));
    started.once('exit', () => this.#onEnd(started));
    started.unref();
    started.channel?.unref();
    this.#process = started;
    return started;
  }

  #onMessage(message: FromHelper): void {
    const running = this.#running.get(message.id);
    if (running === undefined) return;
    if (message.type === 'ended') return running.onEnd(message.end);
    running.pid = message.pid;
    try {
      running.onStart?.(message.pid);
    } catch (error) {
      running.onError(error);
    }
  }

  /** What it ran is killed here: it can't do that itself when it was killed. */
  #onEnd(ended: ChildProcess): void {
    ended.kill('SIGKILL'); // after an error it may still run
    if (this.#process !== ended) return;
    this.#process = null;
    for (const { pid, onEnd } of this.#running.values()) {
      if (pid !== null) killGroup(pid);
      onEnd(endOf(lost));
    }
  }
}

const lost = {
  code: 'git-failed',
  message: "the process that runs the daemon's git commands has ended",
  hint: 'it is started again for the next one; was it killed, or is the machine out of memory or processes?',
} as const;

/** An error means that the helper is gone: `error` or `exit` says so, too. */
function send(process: ChildProcess, message: ToHelper): void {
  if (process.connected) process.send(message, () => undefined);
}
