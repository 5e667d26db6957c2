import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chanceOfSharing, logChoose } from '../../src/plan/binomial.ts';
import { outages, survivalOf } from '../../src/plan/survival.ts';
import { createRandom } from '../helpers/random.ts';

/** C(n, k), exactly. */
function choose(n: number, k: number): bigint {
  let result = 1n;
  for (let i = 0; i < k; i++) result = (result * BigInt(n - i)) / BigInt(i + 1);
  return result;
}

/** a / b with 15 digits. */
const ratio = (a: bigint, b: bigint): number => Number((a * 10n ** 30n) / b) / 1e30;

const isClose = (value: number, exact: number, part: number): boolean =>
  Math.abs(value - exact) <= part * exact + 1e-29;

test('ln C(n, k) and P(share j of k) are those of exact integers', () => {
  for (const [n, k] of [
    [8, 2],
    [50, 4],
    [52, 26],
    [100, 5],
    [1000, 3],
    [4096, 64],
  ] as const) {
    assert.ok(Math.abs(logChoose(n, k) - Math.log(Number(choose(n, k)))) < 1e-9, `${n} ${k}`);
    let sum = 0;
    for (let j = 0; j <= k; j++) {
      const exact = ratio(choose(k, j) * choose(n - k, k - j), choose(n, k));
      const chance = chanceOfSharing({ j, k, d: k, n });
      assert.ok(isClose(chance, exact, 1e-8), `${n} ${k} ${j}: ${chance} ${exact}`);
      sum += chance;
    }
    assert.ok(Math.abs(sum - 1) < 1e-9);
  }
  assert.equal(logChoose(4, 5), -Infinity);
  assert.equal(logChoose(1_048_576, 0), 0);
});

/** By inclusion and exclusion, exactly: all `k` hosts of a shard are in those of `bad` customers with `k` each. */
function covered(n: number, k: number, bad: number): number {
  let sum = 0n;
  const all = choose(n, k) ** BigInt(bad);
  for (let i = 0; i <= k; i++) {
    const without = choose(k, i) * choose(n - i, k) ** BigInt(bad);
    sum += i % 2 === 0 ? without : -without;
  }
  return ratio(sum, all);
}

test('what has nothing left agrees with the formula to three digits, and far beyond', () => {
  for (const [n, k] of [
    [8, 2],
    [9, 2],
    [50, 4],
    [100, 5],
    [20, 1],
    [12, 6],
    [6, 6],
    [100, 20],
  ] as const) {
    const found = survivalOf({ hosts: n, sizes: new Map([[k, 1]]) }, true);
    outages.forEach(({ what, count }, i) => {
      const down = Math.min(count, n);
      const exact = what === 'hosts' ? ratio(choose(down, k), choose(n, k)) : covered(n, k, count);
      assert.ok(
        isClose(found[i]!, k > down && what === 'hosts' ? 0 : exact, 1e-7),
        `${n} ${k} ${what} ${count}: ${found[i]}`,
      );
    });
  }
});

/** A random set of `size` of `n`, by a shuffle that ends early. */
function draw(n: number, size: number, chance: () => number): Set<number> {
  const all = Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < size; i++) {
    const j = i + Math.floor(chance() * (n - i));
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return new Set(all.slice(0, size));
}

test('a simulation of 100,000 draws agrees to 1 %, also where customers have several sizes', () => {
  const populations = [
    { hosts: 8, sizes: new Map([[2, 1]]) },
    {
      hosts: 12,
      sizes: new Map([
        [1, 3],
        [2, 5],
        [4, 2],
      ]),
    },
  ];
  for (const { hosts, sizes } of populations) {
    const random = createRandom(7).next;
    const urn = [...sizes].flatMap(([size, count]) => Array.from({ length: count }, () => size));
    const size = (): number => urn[Math.floor(random() * urn.length)]!;
    const found = survivalOf({ hosts, sizes }, true);
    outages.forEach(({ what, count }, i) => {
      let lost = 0;
      for (let round = 0; round < 100_000; round++) {
        const down = what === 'hosts' ? draw(hosts, count, random) : new Set<number>();
        if (what === 'customers')
          for (let bad = 0; bad < count; bad++) for (const host of draw(hosts, size(), random)) down.add(host);
        if (draw(hosts, size(), random).isSubsetOf(down)) lost += 1;
      }
      const simulated = lost / 100_000;
      const noise = Math.sqrt((found[i]! * (1 - found[i]!)) / 100_000);
      const isAgreed = Math.abs(simulated - found[i]!) <= Math.max(0.01 * found[i]!, 3 * noise);
      assert.ok(isAgreed, `${what} ${count}: ${found[i]} ${simulated}`);
    });
  }
});

test('of three customers, four can’t be bad; of none, nobody is lost', () => {
  assert.deepEqual(
    survivalOf({ hosts: 8, sizes: new Map([[2, 3]]) }).map((value) => value === null),
    [false, false, false, true, true],
  );
  assert.deepEqual(survivalOf({ hosts: 8, sizes: new Map() }), [null, null, null, null, null]);
});

test('what would take too long is left out', () => {
  const sizes = new Map(Array.from({ length: 1000 }, (_, i) => [i + 1, 1]));
  assert.deepEqual(
    survivalOf({ hosts: 1000, sizes }).map((value) => value === null),
    [false, false, true, true, true],
  );
});
