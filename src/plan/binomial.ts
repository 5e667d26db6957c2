/** ln n!, for integers from 0; the error of what is computed with it stays below 1e-8 up to a million. */
function logFactorial(n: number): number {
  if (n < 16) return Math.log(small(n));
  const x = n + 1;
  const series = 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5);
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series; // Stirling
}

function small(n: number): number {
  let product = 1;
  for (let i = 2; i <= n; i++) product *= i;
  return product;
}

/** ln C(n, k): of the number of ways to choose k of n; -Infinity where there is none. */
export function logChoose(n: number, k: number): number {
  if (k < 0 || k > n) return -Infinity;
  return k === 0 || k === n ? 0 : logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

/** P(j of k certain hosts are among d, chosen at random of n) = C(k, j) C(n-k, d-j) / C(n, d). */
export function chanceOfSharing({ j, k, d, n }: { j: number; k: number; d: number; n: number }): number {
  return Math.exp(logChoose(k, j) + logChoose(n - k, d - j) - logChoose(n, d));
}
