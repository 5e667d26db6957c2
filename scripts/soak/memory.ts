import { memoryMb } from '../bench/proc.ts';
import { median } from '../bench/statistics.ts';

/** Samples of a process's resident memory, one a second, in MB. */
export class MemoryWatch implements Disposable {
  readonly #samples: number[] = [];
  readonly #pid: number;
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number) {
    this.#pid = pid;
    this.#timer = setInterval(() => this.#samples.push(memoryMb(pid).now), 1_000);
  }

  /** The medians of the second minute and of the last one, or of as much as was sampled. */
  report(): { readonly early: number; readonly late: number; readonly peak: number } {
    const early = this.#samples.slice(60, 120);
    return {
      early: median(early.length > 0 ? early : this.#samples),
      late: median(this.#samples.slice(-60)),
      peak: memoryMb(this.#pid).peak,
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
