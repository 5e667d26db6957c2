import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choosePlan, isLessCareful } from '../../src/rollout/choose-plan.ts';
import type { Plan, RolloutPolicy, Wave } from '../../src/rollout/plan.ts';
import { everyone } from '../../src/rollout/plan.ts';
import { builtinStrategies } from '../../src/rollout/strategies.ts';

const minute = 60_000;
const wave = (minutes: number, changes: Partial<Wave> = {}): Wave => ({
  ...everyone,
  nodes: { type: 'count', count: 1 },
  bakeMs: minutes * minute,
  ...changes,
});
const last = (minutes = 0, isManual = false): Wave => ({ ...everyone, bakeMs: minutes * minute, isManual });

const plans: readonly Plan[] = [
  ...builtinStrategies,
  { strategy: 'manual', waves: [wave(0), last(0, true)] },
  { strategy: 'manual-first', waves: [wave(0, { isManual: true }), wave(1), last()] },
  { strategy: 'slow', waves: [wave(60), last()] },
  { strategy: 'twelve', waves: [wave(12), last(10)] },
  { strategy: 'twelve-in-four', waves: [wave(1), wave(1), wave(10), last(0)] },
  { strategy: 'baked', waves: [last(30)] },
];
const named = (name: string): Plan => plans.find(({ strategy }) => strategy === name)!;

function policy(changes: Partial<RolloutPolicy>): RolloutPolicy {
  return {
    strategies: new Map(plans.map((plan) => [plan.strategy, plan])),
    strategy: 'all-at-once',
    rules: [],
    checks: { errors: null, prometheus: [] },
    freeze: [],
    ...changes,
  };
}

const rules = [
  { moved: 0.5, strategy: 'manual' },
  { moved: 0.2, strategy: 'careful' },
];

const cases: readonly {
  readonly name: string;
  readonly policy?: Partial<RolloutPolicy>;
  readonly moved?: number | null;
  readonly trailer?: string;
  readonly plan: string;
  readonly reason: string;
}[] = [
  { name: 'the default', plan: 'all-at-once', reason: 'the default' },
  { name: 'another default', policy: { strategy: 'careful' }, plan: 'careful', reason: 'the default' },
  { name: 'no rule matches', policy: { rules }, moved: 0.2, plan: 'all-at-once', reason: 'the default' },
  { name: 'nothing to compare with', policy: { rules }, moved: null, plan: 'all-at-once', reason: 'the default' },
  {
    name: 'the second rule',
    policy: { rules },
    moved: 0.2001,
    plan: 'careful',
    reason: '20.01 % of the customers change hosts, more than 20 %',
  },
  {
    name: 'the first of two that match',
    policy: { rules },
    moved: 1,
    plan: 'manual',
    reason: '100 % of the customers change hosts, more than 50 %',
  },
  { name: 'a more careful one by the trailer', trailer: 'careful', plan: 'careful', reason: 'the commit asks for it' },
  {
    name: 'the demanded one by the trailer',
    trailer: 'all-at-once',
    plan: 'all-at-once',
    reason: 'the commit asks for it',
  },
  {
    name: 'a less careful one than the default',
    policy: { strategy: 'careful' },
    trailer: 'all-at-once',
    plan: 'careful',
    reason: 'the commit asks for all-at-once, which is less careful: careful is used (the default)',
  },
  {
    name: 'a less careful one than the rule',
    policy: { rules },
    moved: 0.3,
    trailer: 'twelve',
    plan: 'careful',
    reason:
      'the commit asks for twelve, which is less careful: careful is used (30 % of the customers change hosts, more than 20 %)',
  },
  {
    name: 'a more careful one than the rule',
    policy: { rules },
    moved: 0.3,
    trailer: 'customers',
    plan: 'customers',
    reason: 'the commit asks for it',
  },
  {
    name: 'a name that there is not',
    trailer: 'carefull',
    plan: 'all-at-once',
    reason: 'the commit asks for "carefull", and there is no such strategy: all-at-once is used (the default)',
  },
];
for (const { name, policy: changes = {}, moved = 0, trailer = null, plan, reason } of cases)
  test(`the plan: ${name}`, () => {
    const chosen = choosePlan({ policy: policy(changes), moved, trailer });
    assert.deepEqual({ plan: chosen.plan.strategy, reason: chosen.reason }, { plan, reason });
  });

test('a policy without its own strategy is an error', () => {
  assert.throws(() => choosePlan({ policy: policy({ strategy: 'no' }), moved: 0, trailer: null }), /no strategy no/);
});

test('from the least careful to the most: each is less careful than those after it, and none than itself', () => {
  const order = [
    'all-at-once',
    'baked',
    'twelve',
    'twelve-in-four',
    'careful',
    'customers',
    'slow',
    'manual',
    'manual-first',
  ];
  for (const [i, a] of order.entries())
    for (const [j, b] of order.entries()) assert.equal(isLessCareful(named(a), named(b)), i < j, `${a}, ${b}`);
});

test('the built-in strategies end with everyone', () => {
  for (const { waves } of builtinStrategies) {
    assert.deepEqual(waves.at(-1)?.nodes, { type: 'everyone' });
    assert.equal(waves.at(-1)?.customers, null);
  }
});
