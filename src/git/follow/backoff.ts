/** What the wait before the next fetch depends on. */
export interface Pace {
  readonly pollMs: number;
  /** Part of the wait that is left to chance, 0 to 1: it lies between `1 - jitter/2` and `1 + jitter/2` of its measure. */
  readonly jitter: number;
  /** Failures in a row. */
  readonly failures: number;
  /** 0 up to 1. */
  readonly random: number;
}

/** However long a remote is away, it is asked again after this time. */
const longestMs = 5 * 60_000;

/** How long to wait: the poll interval; after failures 1 s (or the interval, if shorter), doubled each time up to 5 min. */
export function nextWaitMs({ pollMs, jitter, failures, random }: Pace): number {
  const longest = Math.max(pollMs, longestMs);
  const measure = failures === 0 ? pollMs : Math.min(longest, Math.min(1000, pollMs) * 2 ** Math.min(failures - 1, 30));
  return Math.round(measure * (1 - jitter / 2 + jitter * random));
}
