/** Random choices from a seed. */
export interface Random {
  /** True with this probability, 0 to 1. */
  readonly chance: (probability: number) => boolean;
  /** A whole number from `low` up to `high`, both included. */
  readonly between: (low: number, high: number) => number;
  /** One of these; throws when there is none. */
  readonly pick: <T>(values: readonly T[]) => T;
}

/** mulberry32, by Tommy Ettinger (public domain): the same seed gives the same numbers. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  return {
    chance: (probability) => next() < probability,
    between,
    pick: <T>(values: readonly T[]): T => {
      if (values.length === 0) throw new RangeError('nothing to pick from');
      return values[between(0, values.length - 1)] as T;
    },
  };
}
