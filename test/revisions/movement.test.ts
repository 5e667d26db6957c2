import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyPolicy, classify, type Decision, type Movement, type Relation } from '../../src/revisions/movement.ts';

test('every way a ref can be found is named', () => {
  const table: [
    base: string | null,
    wasAbsent: boolean,
    tip: string | null,
    relation: Relation | null,
    movement: Movement,
  ][] = [
    [null, false, null, null, 'absent'],
    [null, true, null, null, 'absent'],
    [null, false, 'b', null, 'initial'],
    [null, true, 'b', null, 'created'],
    ['a', false, 'a', 'same', 'unchanged'],
    ['a', true, 'a', 'same', 'recreated'],
    ['a', false, 'b', 'descendant', 'fast-forward'],
    ['a', true, 'b', 'descendant', 'recreated'],
    ['a', false, 'b', 'ancestor', 'rewind'],
    ['a', true, 'b', 'ancestor', 'rewind'],
    ['a', false, 'b', 'unrelated', 'diverged'],
    ['a', true, 'b', 'unrelated', 'diverged'],
    ['a', false, 'b', null, 'diverged'],
    ['a', false, null, null, 'deleted'],
    ['a', true, null, null, 'deleted'],
  ];
  for (const [base, wasAbsent, tip, relation, movement] of table) {
    assert.equal(
      classify({ base, wasAbsent, tip, relation }),
      movement,
      JSON.stringify({ base, wasAbsent, tip, relation }),
    );
  }
});

test('what the policy says to each movement', () => {
  const table: Record<Movement, [follow: Decision, hold: Decision, refuse: Decision]> = {
    absent: ['keep', 'keep', 'keep'],
    initial: ['take', 'take', 'take'],
    unchanged: ['take', 'take', 'take'],
    created: ['take', 'take', 'take'],
    recreated: ['take', 'take', 'take'],
    'fast-forward': ['take', 'take', 'take'],
    rewind: ['take', 'hold', 'refuse'],
    diverged: ['take', 'hold', 'refuse'],
    deleted: ['keep', 'keep', 'keep'],
  };
  for (const [movement, decisions] of Object.entries(table)) {
    const said = (['follow', 'hold', 'refuse'] as const).map((policy) => applyPolicy(movement as Movement, policy));
    assert.deepEqual(said, decisions, movement);
  }
});
