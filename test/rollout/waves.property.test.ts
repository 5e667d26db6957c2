import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Plan, Wave } from '../../src/rollout/plan.ts';
import { nodes, toVersion, World } from './waves-world.ts';

const share = fc.constantFrom(0.1, 0.25, 0.5, 1);
const everyone = { type: 'everyone' } as const;
const someNodes = fc.oneof(
  fc.record({ type: fc.constant('count' as const), count: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ type: fc.constant('share' as const), share }),
  fc.record({
    type: fc.constant('matching' as const),
    globs: fc.constantFrom(
      { id: 'edge-*' },
      { cluster: 'web', locality: 'eu/*' },
      { metadata: { 'canary.is': 'y*' } },
      { id: 'x*' },
    ),
  }),
);
const customers = fc.oneof(
  fc.record({ type: fc.constant('named' as const), ids: fc.constantFrom(['acme'], ['b', 'c']) }),
  fc.record({ type: fc.constant('share' as const), share }),
);
const rarely = fc.integer({ min: 0, max: 3 }).map((number) => number === 0);
const how = { bakeMs: fc.constantFrom(0, 60_000, 600_000), isManual: rarely };
const nodeWave = fc.record({ nodes: someNodes, customers: fc.constant(null), ...how });
const customerWave = fc.record({ nodes: fc.constant(everyone), customers, ...how });
const lastWave = fc.record({ nodes: fc.constant(everyone), customers: fc.constant(null), ...how });
const plan: fc.Arbitrary<Plan> = fc
  .tuple(fc.array(nodeWave, { maxLength: 3 }), fc.array(customerWave, { maxLength: 2 }), lastWave)
  .map(([some, stages, last]) => ({ strategy: 's', waves: [...some, ...stages, last] as Wave[] }));

type Move = (world: World) => void;
const id = fc.constantFrom(...nodes.map((node) => node.id));
const number = fc.nat(20);
const toMove = <T>(values: fc.Arbitrary<T>, move: (world: World, value: T) => void): fc.Arbitrary<Move> =>
  values.map((value) => {
    const bound: Move = (world) => move(world, value);
    return Object.assign(bound, { toString: () => `${move.toString().slice(0, 60)} ${JSON.stringify(value)}` });
  });
const always = fc.constant(null);
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 4,
    arbitrary: toMove(fc.record({ version: fc.integer({ min: 1, max: 6 }), plan }), (world, { version, plan }) =>
      world.apply({ type: 'release', at: world.at, version: toVersion(version), plan }),
    ),
  },
  {
    weight: 1,
    arbitrary: toMove(fc.record({ version: fc.integer({ min: 1, max: 6 }), plan }), (world, { version, plan }) =>
      world.apply({ type: 'retry', at: world.at, version: toVersion(version), plan }),
    ),
  },
  { weight: 4, arbitrary: toMove(id, (world, each) => world.join(each)) },
  { weight: 2, arbitrary: toMove(number, (world, each) => world.leave(each)) },
  {
    weight: 1,
    arbitrary: toMove(fc.tuple(id, fc.boolean()), (world, [node, is]) =>
      world.apply({ type: is ? 'mute' : 'unmute', at: world.at, node, by: 'ops' }),
    ),
  },
  {
    weight: 3,
    arbitrary: toMove(fc.tuple(number, fc.integer({ min: 0, max: 3 })), (world, [which, bad]) =>
      world.answer(world.session(which), bad > 0),
    ),
  },
  { weight: 6, arbitrary: toMove(always, (world) => world.ackAll()) },
  { weight: 6, arbitrary: toMove(fc.constantFrom(1, 31, 61, 300, 700), (world, seconds) => world.wait(seconds)) },
  {
    weight: 4,
    arbitrary: toMove(
      fc.tuple(
        fc.constantFrom('errors', 'p99'),
        fc.constantFrom('pass' as const, 'pass' as const, 'fail' as const, 'no_data' as const),
      ),
      (world, [name, verdict]) => world.apply({ type: 'check', at: world.at, name, verdict, message: '' }),
    ),
  },
  {
    weight: 5,
    arbitrary: toMove(
      fc.oneof(
        fc.record({
          type: fc.constantFrom('pause' as const, 'resume' as const, 'abort' as const, 'unfreeze' as const),
        }),
        fc.record({ type: fc.constant('promote' as const), all: rarely }),
      ),
      (world, event) => world.command(event),
    ),
  },
  {
    weight: 1,
    arbitrary: toMove(fc.constantFrom(null, 50, 500), (world, seconds) =>
      world.command({ type: 'freeze', until: seconds === null ? null : world.at + seconds * 1000 }),
    ),
  },
  { weight: 1, arbitrary: toMove(fc.integer({ min: 0, max: 2 }), (world, lost) => world.restart(lost)) },
);

/** What the runs have to come to, or they try little. */
const usual = [
  ...['baking', 'check', 'wave_skipped', 'wave_waits nodes', 'wave_waits promotion', 'wave_waits freeze'],
  ...[
    'paused operator',
    'paused unanswered',
    'resumed',
    'promoted',
    'refused',
    'rolled_back',
    'superseded',
    'unpinned',
  ],
];

for (const checks of [[], ['errors']])
  test(`waves, with ${checks.length} checks: in any order of events what must hold always does, and it ends`, () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(fc.array(move, { maxLength: 60, size: 'max' }), (moves) => {
        const world = new World(checks);
        for (const { id } of nodes.slice(0, 5)) world.join(id);
        world.apply({ type: 'release', at: 0, version: toVersion(0) });
        world.ackAll();
        world.wait(10);
        for (const each of moves) each(world);
        for (const each of world.seen) seen.set(each, (seen.get(each) ?? 0) + 1);
        world.finish();
      }),
      { numRuns: Number(process.env['RUNS'] ?? 500) },
    );
    for (const fact of usual) assert.ok((seen.get(fact) ?? 0) > 0, `${fact} was tried`);
  });
