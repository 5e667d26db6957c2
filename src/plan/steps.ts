/** How much is done between two steps, in scores (rankingCost): 1 or 2 ms. */
const scoresOfStep = 100_000;

/** Looks at each item, which says what that cost; yields the part (0 to 1) that is done, every few milliseconds. */
export function* lookInSteps<T>(
  items: readonly T[],
  look: (item: T, index: number) => number,
): Generator<number, void> {
  let spent = 0;
  for (const [i, item] of items.entries()) {
    spent += look(item, i);
    if (spent < scoresOfStep) continue;
    spent = 0;
    yield (i + 1) / items.length;
  }
}

/** At most so many of the names, evenly spread. */
export function thin(names: readonly string[], most: number): readonly string[] {
  if (names.length <= most) return names;
  const count = Math.max(1, Math.floor(most));
  return Array.from({ length: count }, (_, i) => names[Math.floor((i * names.length) / count)] ?? '');
}
