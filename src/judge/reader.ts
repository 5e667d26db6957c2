import { Worker } from 'node:worker_threads';
import type { ReadResult, ReadRequest, ThreadData } from './message.ts';

/** What reading one file may take. */
export interface ReaderLimits {
  readonly timeMs: number;
  /** Of the thread's heap. */
  readonly heapMb: number;
}

/** Why a file has no answer. */
export type Cost = 'time' | 'memory' | 'failure';

/** The reader was closed meanwhile, or no thread can be started. */
export class ReaderError extends Error {
  override readonly name = 'ReaderError';
}

/** A thread that is not used for so long gives its memory back. */
const idleMs = 60_000;
/** Starting one takes some 0.2 s. */
const startMs = 30_000;

/** `.ts` where node strips the types, `.js` where it was built. */
const script = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url);

/** Reads files in a thread of its own, one after the other: no file can stop the event loop, or end the process. */
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

  /** The answer, or what the file takes too much of. Rejects with ReaderError alone. */
  read(question: ReadRequest): Promise<ReadResult | Cost> {
    const answer = this.#turn.then(() => this.#ask(question));
    this.#turn = answer.catch(() => undefined);
    return answer;
  }

  /** Ends the thread; what is being read is rejected. */
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

  /** Resolves once it has answered to an empty file: what fails before is no fault of what is to be read. */
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
    // what it dies of is no concern of ours any more
    thread?.on('error', () => undefined);
    await thread?.terminate();
  }
}
