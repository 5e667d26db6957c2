/** How many sets of k there are of n; exact up to 2^53. */
export function choose(n: number, k: number): number {
  if (k > n) return 0;
  let sets = 1;
  for (let i = 0; i < k; i++) sets *= (n - i) / (i + 1);
  return Math.round(sets);
}
