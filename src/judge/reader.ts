import { Worker } from 'node:worker_threads';
import type { ReadResult, ReadRequest, ThreadData } from './message.ts';

/** Limits for reading one file. */
export interface ReaderLimits {
  readonly timeMs: number;
  /** The thread's heap. */
  readonly heapMb: number;
}

/** Why reading a file failed. */
export type Cost = 'time' | 'memory' | 'failure';

/** The reader was closed, or can't start a thread. */
export class ReaderError extends Error {
  override readonly name = 'ReaderError';
}

/** An idle thread is ended after this, to free its memory. */
const idleMs = 60_000;
/** Starting a thread takes some 0.2 s. */
const startMs = 30_000;

/** `.ts` in the source tree, `.js` in the package. */
const script = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url);

/** Reads files in a thread, one at a time: no file can block the event loop or crash the process. */
export class Reader {
  readonly #data: ThreadData;
  readonly #limits: ReaderLimits;
  #thread: Worker | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #idle: NodeJS.Timeout | undefined;
  #closed = false;
  #abort: ((error: ReaderError) => void) | null = null;

  constructor(data: ThreadData, limits: ReaderLimits) {
    this.#data = data;
    this.#limits = limits;
  }

  /** The result, or which limit the file exceeds. Rejects with ReaderError alone. */
  read(question: ReadRequest): Promise<ReadResult | Cost> {
    const answer = this.#turn.then(() => this.#ask(question));
    this.#turn = answer.catch(() => undefined);
    return answer;
  }

  /** Ends the thread and rejects what is being read. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#abort?.(new ReaderError('the reader is closed'));
    await this.#end();
  }

  async #ask(question: ReadRequest): Promise<ReadResult | Cost> {
    clearTimeout(this.#idle);
    const thread = this.#thread ?? (await this.#start());
    thread.ref();
    const answer = await this.#exchange(thread, question, this.#limits.timeMs);
    if (typeof answer === 'string') {
      await this.#end();
      return answer;
    }
    thread.unref();
    this.#idle = setTimeout(() => void this.#end(), idleMs).unref();
    return answer;
  }

  /** Resolves once the thread has read an empty file: a failure before that is not the next file's fault. */
  async #start(): Promise<Worker> {
    if (this.#closed) throw new ReaderError('the reader is closed');
    const { heapMb } = this.#limits;
    const resourceLimits = { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: 64, stackSizeMb: 4 };
    const thread = new Worker(script, { workerData: this.#data, resourceLimits });
    this.#thread = thread;
    thread.on('exit', () => {
      if (this.#thread === thread) this.#thread = null;
    });
    let reason = 'it does not answer';
    thread.once('error', (error: Error) => {
      reason = error.message;
    });
    const answer = await this.#exchange(thread, { bytes: new Uint8Array(), file: '', commit: null }, startMs);
    if (typeof answer !== 'string') return thread;
    await this.#end();
    throw new ReaderError(`no thread can be started: ${reason}`);
  }

  async #exchange(thread: Worker, question: ReadRequest, timeMs: number): Promise<ReadResult | Cost> {
    const { promise, resolve, reject } = Promise.withResolvers<ReadResult | Cost>();
    const onError = (error: NodeJS.ErrnoException): void =>
      resolve(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'memory' : 'failure');
    const onExit = (): void => resolve('failure');
    const timer = setTimeout(() => resolve('time'), timeMs);
    this.#abort = reject;
    thread.once('message', resolve).once('error', onError).once('exit', onExit);
    try {
      thread.postMessage(question, [question.bytes.buffer]);
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#abort = null;
      thread.off('message', resolve).off('error', onError).off('exit', onExit);
    }
  }

  async #end(): Promise<void> {
    clearTimeout(this.#idle);
    const thread = this.#thread;
    this.#thread = null;
    // its errors no longer matter
    thread?.on('error', () => undefined);
    await thread?.terminate();
  }
}
