/** Reproducible random numbers: `SHARDPLANE_SEED=N` repeats a run. */
export interface Random {
  /** Print it with each random test. */
  readonly seed: number;
  /** From 0 to below 1. */
  readonly next: () => number;
}

/** A new seed each time, unless the environment sets one. For a second generator: `createRandom(seed + 1)`. */
export function createRandom(
  seed = Number(process.env.SHARDPLANE_SEED ?? Math.floor(Math.random() * 2 ** 31)),
): Random {
  let state = seed;
  // mulberry32: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { seed, next };
}
