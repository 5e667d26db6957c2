import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ShardConfig } from '../../src/config/config.ts';
import { makeConfig } from '../helpers/config.ts';
import { hosts, listed, plan } from './support.ts';

const swapped = (all: readonly string[]): string[] => [all[1]!, all[0]!, ...all.slice(2)];
const rotated = (all: readonly string[], by: number): string[] => [...all.slice(by), ...all.slice(0, by)];

const cases: readonly [name: string, before: ShardConfig, after: ShardConfig, moved: number | null][] = [
  ['nothing', makeConfig(), makeConfig(), 0],
  ['one host added to 8, shards of 2', listed(hosts(8)), listed(hosts(9)), 2 / 9],
  ['one slot added to 8, shards of 2', makeConfig(), makeConfig({ totalHosts: 9 }), 2 / 9],
  ['the last of 10 taken away', listed(hosts(10)), listed(hosts(9)), 2 / 10],
  ['half of 16 taken away', listed(hosts(16)), listed(hosts(8)), 1 - (8 * 7) / (16 * 15)],
  ['one drained', makeConfig(), makeConfig({ drained: [3] }), 2 / 8],
  ['one replaced', listed(hosts(8)), listed(['10.9.9.9:80', ...hosts(8).slice(1)]), 2 / 8],
  [
    'one replaced and one added',
    listed(hosts(8)),
    listed(['10.9.9.9:80', ...hosts(9).slice(1)]),
    1 - (7 * 6) / (9 * 8),
  ],
  ['one drained, one added', listed(hosts(8)), listed(hosts(9), { drained: [0] }), 1 - (7 * 6) / (9 * 8)],
  ['all replaced', listed(hosts(8)), listed(hosts(16).slice(8)), 1],
  ['hosts that were not listed', makeConfig(), listed(hosts(8)), 1],
  ['the default grown', makeConfig(), makeConfig({ defaultShardSize: 3 }), 1],
  ['the default grown, a host added', makeConfig(), makeConfig({ defaultShardSize: 4, totalHosts: 10 }), 1],
  ['the default shrunk, two hosts taken away', makeConfig({ defaultShardSize: 5 }), makeConfig({ totalHosts: 6 }), 1],
  ['the default grown, one replaced', listed(hosts(8)), listed([...hosts(7), 'x:1'], { defaultShardSize: 3 }), 1],
  ['two hosts swapped', listed(hosts(8)), listed(swapped(hosts(8))), (2 * 2 * 6) / (8 * 7)],
  ['a reversed list', listed(hosts(10)), listed(hosts(10).toReversed()), 40 / 45],
  ['a rotated list', listed(hosts(8)), listed(rotated(hosts(8), 1)), 1],
  ['a list rotated by half', listed(hosts(8)), listed(rotated(hosts(8), 4)), 1 - 4 / 28],
  [
    'two swapped, one of them drained',
    listed(hosts(8), { drained: [0] }),
    listed(swapped(hosts(8)), { drained: [0] }),
    null,
  ],
  ['two swapped and one replaced', listed(hosts(8)), listed([...swapped(hosts(8)).slice(0, 7), 'x:1']), null],
  ['one put in front', listed(hosts(8)), listed(['10.9.9.9:80', ...hosts(8)]), null],
  [
    'shards of all hosts',
    listed(hosts(4), { defaultShardSize: 4 }),
    listed(hosts(4).toReversed(), { defaultShardSize: 4 }),
    0,
  ],
];

/** The sample is binomial: five times its standard deviation. */
const isNear = (share: number, chance: number, count: number): boolean =>
  Math.abs(share - chance) <= 5 * Math.sqrt((chance * (1 - chance)) / count) + 1e-9;

for (const [name, before, after, moved] of cases)
  test(`the formula and the sample agree: ${name}`, () => {
    const { unnamed } = plan(before, after);
    assert.equal(unnamed.looked, 10_000);
    const { formula } = unnamed;
    if (moved !== null) assert.ok(Math.abs(formula!.moved - moved) < 1e-9, `${formula!.moved} is ${moved}`);
    if (formula === null) return assert.equal(moved, null);
    for (const [counted, chance] of [
      [unnamed.moved, formula.moved],
      [unnamed.kinds.grown, formula.grown],
      [unnamed.kinds.shrunk, formula.shrunk],
      [unnamed.keepNone, formula.keepNone ?? unnamed.keepNone / unnamed.looked],
    ] as const)
      assert.ok(isNear(counted / unnamed.looked, chance, unnamed.looked), `${counted} of 10,000: ${chance}`);
  });

test('the sample is another with another seed, and the same with the same', () => {
  const [before, after] = [listed(hosts(8)), listed(hosts(9))];
  const moved = (seed: number): number => plan(before, after, { seed }).unnamed.moved;
  assert.equal(moved(1), moved(1));
  assert.notEqual(moved(1), moved(2));
});
