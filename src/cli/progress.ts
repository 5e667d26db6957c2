/** Runs to the end what yields the part (0 to 1) that is done; on a terminal tells it, once it has taken two seconds. */
export function withProgress<T>(what: string, steps: Generator<number, T>): T {
  const progress = new Progress(what);
  for (;;) {
    const step = steps.next();
    if (step.done) {
      progress.end();
      return step.value;
    }
    progress.show(`${Math.floor(step.value * 100)} %`);
  }
}

/** A line on standard error, if that is a terminal, from two seconds on. */
export class Progress {
  readonly #what: string;
  #next = process.stderr.isTTY ? performance.now() + 2_000 : Infinity;
  #isShown = false;

  constructor(what: string) {
    this.#what = what;
  }

  /** `words`: how far it is. */
  show(words: string): void {
    if (performance.now() < this.#next) return;
    this.#next = performance.now() + 200;
    this.#isShown = true;
    process.stderr.write(`\r${this.#what}: ${words}`);
  }

  end(): void {
    if (this.#isShown) process.stderr.write('\r\u001b[K');
  }
}
