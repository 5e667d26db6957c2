export interface LogThrottleOptions {
  /** Logs how many lines were suppressed. */
  readonly logLeftOut: (count: number, cause: string, peer: string) => void;
  /** Default: a minute. */
  readonly windowMs?: number;
  /** Lines of one cause and peer within a window. Default: 5. */
  readonly times?: number;
  /** Pairs of cause and peer that have a window of their own; the others share one for each cause. Default: 200. */
  readonly keys?: number;
}

interface Window {
  logged: number;
  leftOut: number;
  readonly timer: NodeJS.Timeout;
}

/** Keeps peers from flooding the log: the first few lines of each cause and peer are logged, the rest counted. */
export class LogThrottle {
  readonly #options: Required<LogThrottleOptions>;
  readonly #windows = new Map<string, Window>();

  constructor(options: LogThrottleOptions) {
    this.#options = { windowMs: 60_000, times: 5, keys: 200, ...options };
  }

  /** Calls `log`, or counts that it was not called. `cause`: one of a few. */
  run(cause: string, peer: string, log: () => void): void {
    const window = this.#windowOf(cause, peer);
    if (window.logged >= this.#options.times) {
      window.leftOut += 1;
      return;
    }
    window.logged += 1;
    log();
  }

  /** Stops the timers. */
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
    const window = { logged: 0, leftOut: 0, timer };
    this.#windows.set(key, window);
    return window;
  }

  #end(key: string, cause: string, peer: string): void {
    const leftOut = this.#windows.get(key)?.leftOut ?? 0;
    this.#windows.delete(key);
    if (leftOut > 0) this.#options.logLeftOut(leftOut, cause, peer);
  }
}
