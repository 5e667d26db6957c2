import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { KEPT_MS, Load } from '../../src/load/load.ts';
import type { Sums } from '../../src/load/sums.ts';

const all = () => true;
/** A multiple of two seconds. */
const start = 1_000_000_000_000;

function makeLoad(maxNodes?: number) {
  const clock = { now: start };
  return { clock, load: new Load({ now: () => clock.now, ...(maxNodes !== undefined && { maxNodes }) }) };
}

describe('the load of the nodes', () => {
  it('is summed over the nodes that are asked for, and since when', () => {
    const { load, clock } = makeLoad();
    ['a', 'b', 'c'].forEach((node) => load.open(node));
    load.add('a', { requests: 10, errors: 1 });
    load.add('b', { requests: 5, errors: 5 });
    clock.now += 4_000;
    load.add('a', { requests: 20, errors: 0 });
    assert.deepEqual(load.sum(all, start), { requests: 35, errors: 6 });
    assert.deepEqual(
      load.sum((node) => node !== 'b', start),
      { requests: 30, errors: 1 },
    );
    assert.deepEqual(load.sum(all, start + 4_000), { requests: 20, errors: 0 });
    // What was reported in the same two seconds, but maybe earlier, is left out.
    assert.deepEqual(load.sum(all, start + 4_001), { requests: 0, errors: 0 });
  });

  it('agrees with a list of all reports', () => {
    const report = fc.record({
      wait: fc.integer({ min: 0, max: 90_000 }),
      node: fc.constantFrom('a', 'b', 'c'),
      requests: fc.nat(1_000),
      errors: fc.nat(1_000),
    });
    fc.assert(
      fc.property(fc.array(report, { maxLength: 60 }), fc.nat(KEPT_MS - 2_000), (reports, back) => {
        const { load, clock } = makeLoad();
        ['a', 'b', 'c'].forEach((node) => load.open(node));
        const seen = reports.map(({ wait, node, requests, errors }) => {
          clock.now += wait;
          load.add(node, { requests, errors });
          return { at: clock.now, node, requests, errors };
        });
        const since = Math.ceil((clock.now - back) / 2_000) * 2_000;
        const expected = seen
          .filter(({ at, node }) => at >= since && node !== 'c')
          .reduce<Sums>(
            (sum, { requests, errors }) => ({ requests: sum.requests + requests, errors: sum.errors + errors }),
            {
              requests: 0,
              errors: 0,
            },
          );
        assert.deepEqual(
          load.sum((node) => node !== 'c', since),
          expected,
        );
      }),
    );
  });

  it('is kept for ten minutes', () => {
    const { load, clock } = makeLoad();
    load.open('a');
    load.add('a', { requests: 7, errors: 1 });
    clock.now += KEPT_MS - 2_000;
    assert.deepEqual(load.sum(all, 0), { requests: 7, errors: 1 });
    clock.now += 2_000;
    assert.deepEqual(load.sum(all, 0), { requests: 0, errors: 0 });
    load.add('a', { requests: 1, errors: 0 });
    assert.deepEqual(load.sum(all, 0), { requests: 1, errors: 0 });
  });

  it('of one node is that of the last minute, while it has a stream', () => {
    const { load, clock } = makeLoad();
    assert.equal(load.of('a'), null);
    load.open('a');
    assert.deepEqual(load.of('a'), { requests: 0, errors: 0, seconds: 2 });
    clock.now += 20_000;
    load.add('a', { requests: 40, errors: 4 });
    assert.deepEqual(load.of('a'), { requests: 40, errors: 4, seconds: 20 });
    clock.now += 70_000;
    assert.deepEqual(load.of('a'), { requests: 0, errors: 0, seconds: 60 });
    load.close('a');
    assert.equal(load.of('a'), null);
  });

  it('knows who reports: a node with two streams does until both have ended', () => {
    const { load } = makeLoad();
    assert.equal(load.isReporting, false);
    load.open('a');
    load.open('a');
    load.close('a');
    assert.deepEqual([load.isReporting, load.hasNode('a'), load.hasNode('b')], [true, true, false]);
    load.close('a');
    load.close('a');
    assert.deepEqual([load.isReporting, load.hasNode('a')], [false, false]);
    load.open('a');
    assert.deepEqual([load.isReporting, load.hasNode('a')], [true, true]);
  });

  it('of a node that left still counts, and is forgotten after ten minutes', () => {
    const { load, clock } = makeLoad(1);
    load.open('a');
    load.add('a', { requests: 3, errors: 0 });
    load.close('a');
    assert.deepEqual(load.sum(all, start), { requests: 3, errors: 0 });
    clock.now += KEPT_MS;
    load.open('b');
    assert.deepEqual(namesOf(load), ['b']);
  });

  it('has a bound on nodes: who left first makes room, and without room a node is not counted', () => {
    const { load } = makeLoad(2);
    load.open('a');
    load.open('b');
    load.open('c');
    load.add('c', { requests: 1, errors: 0 });
    assert.deepEqual([load.hasNode('c'), namesOf(load)], [false, ['a', 'b']]);
    load.close('b');
    load.close('a');
    load.open('d');
    assert.deepEqual(namesOf(load), ['a', 'd']);
  });

  it('stays within numbers, whatever is reported and whatever the clock does', () => {
    const { load, clock } = makeLoad();
    load.open('a');
    for (let at = 0; at < 10; at += 1) load.add('a', { requests: 1e9, errors: 1e9 });
    assert.equal(load.sum(all, 0).requests, 2 ** 32 - 1);
    clock.now -= 60_000;
    load.add('a', { requests: 1, errors: 0 });
    clock.now += 120_000;
    load.add('a', { requests: 1, errors: 1 });
    assert.deepEqual(load.sum(all, clock.now), { requests: 1, errors: 1 });
  });
});

/** All nodes that it remembers. */
function namesOf(load: Load): string[] {
  const names: string[] = [];
  load.sum((node) => names.push(node) > 0, 0);
  return names;
}
