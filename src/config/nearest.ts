import { show } from './words.ts';

/** A hint with the nearest candidate; null if none is near. */
export function didYouMean(word: string, candidates: readonly string[]): string | null {
  const guess = nearest(word, candidates);
  return guess === null ? null : `did you mean ${show(guess)}?`;
}

/** The candidate that `word` is most likely a typo of; null if none is near (up to a third of the letters wrong, or a part missing). */
export function nearest(word: string, candidates: readonly string[]): string | null {
  const limit = Math.max(1, Math.floor(word.length / 3));
  const near = candidates
    .map((candidate) => ({ candidate, distance: distanceOf(word.toLowerCase(), candidate.toLowerCase(), limit) }))
    .filter(({ distance }) => distance <= limit)
    .toSorted((a, b) => a.distance - b.distance || a.candidate.length - b.candidate.length);
  return near[0]?.candidate ?? null;
}

function distanceOf(word: string, candidate: string, limit: number): number {
  if (word.length > 3 && candidate.includes(word)) return limit;
  return Math.abs(candidate.length - word.length) > limit ? Infinity : editDistance(word, candidate);
}

/** Edits (substitution, insertion, deletion, transposition) that turn `a` into `b`: optimal string alignment. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const change = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      const isSwap = i > 0 && j > 0 && a[i] === b[j - 1] && a[i - 1] === b[j];
      const swap = isSwap ? (before[j - 1] ?? 0) + 1 : Infinity;
      next.push(Math.min(change, swap, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
