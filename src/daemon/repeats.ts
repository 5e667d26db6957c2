export interface RepeatsOptions {
  /** Tells how many were left out. */
  readonly sayLeftOut: (count: number, cause: string, peer: string) => void;
  /** Default: a minute. */
  readonly windowMs?: number;
  /** How often the same is said within it. Default: 5. */
  readonly times?: number;
  /** Causes and peers that are told apart; more of them share one count for each cause. Default: 200. */
  readonly keys?: number;
}

interface Window {
  said: number;
  leftOut: number;
  readonly timer: NodeJS.Timeout;
}

/** Keeps a log readable and the disk free, whatever a peer does: the first few of each cause and peer are said, the rest counted. */
export class Repeats {
  readonly #options: Required<RepeatsOptions>;
  readonly #windows = new Map<string, Window>();

  constructor(options: RepeatsOptions) {
    this.#options = { windowMs: 60_000, times: 5, keys: 200, ...options };
  }

  /** Calls `say`, or counts that it was not called. `cause`: one of a few. */
  say(cause: string, peer: string, say: () => void): void {
    const window = this.#windowOf(cause, peer);
    if (window.said >= this.#options.times) {
      window.leftOut += 1;
      return;
    }
    window.said += 1;
    say();
  }

  /** Ends its timers. */
  close(): void {
    for (const { timer } of this.#windows.values()) clearTimeout(timer);
    this.#windows.clear();
  }

  #windowOf(cause: string, peer: string): Window {
    const { keys } = this.#options;
    const own = `${cause} ${peer}`;
    const isFull = this.#windows.size >= keys && !this.#windows.has(own);
    const [key, of] = isFull ? [cause, 'several'] : [own, peer];
    const known = this.#windows.get(key);
    if (known) return known;
    const timer = setTimeout(() => this.#end(key, cause, of), this.#options.windowMs).unref();
    const window = { said: 0, leftOut: 0, timer };
    this.#windows.set(key, window);
    return window;
  }

  #end(key: string, cause: string, peer: string): void {
    const leftOut = this.#windows.get(key)?.leftOut ?? 0;
    this.#windows.delete(key);
    if (leftOut > 0) this.#options.sayLeftOut(leftOut, cause, peer);
  }
}
