import { allAtOnce } from '../../src/rollout/plan.ts';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Verdict } from '../../src/revisions/types.ts';
import { Model } from './model.ts';

const verdicts: Record<'valid' | 'invalid' | 'shrinks', Verdict> = {
  valid: { valid: true, shrink: null, digest: null, plan: allAtOnce },
  invalid: { valid: false, diagnostics: [] },
  shrinks: { valid: true, shrink: 'it shrinks', digest: null, plan: allAtOnce },
};

const happenings = {
  'commit valid': (model: Model) => model.commit(verdicts.valid),
  'commit another': (model: Model) => model.commit(verdicts.valid),
  'commit invalid': (model: Model) => model.commit(verdicts.invalid),
  'commit shrinking': (model: Model) => model.commit(verdicts.shrinks),
  'reset ~1': (model: Model) => model.reset(1),
  'reset ~2': (model: Model) => model.reset(2),
  'reset ~4': (model: Model) => model.reset(4),
  'reset to live': (model: Model) => model.resetToLive(),
  'delete the ref': (model: Model) => model.deleteRef(),
  look: (model: Model) => model.look(),
  'look again': (model: Model) => model.look(),
  work: (model: Model) => void model.work(),
  'work on': (model: Model) => void model.work(),
  'work fails': (model: Model) => model.fail(),
  ack: (model: Model) => model.answer(true),
  nack: (model: Model) => model.answer(false),
  join: (model: Model) => model.join(),
  leave: (model: Model) => model.leave(),
  wait: (model: Model) => model.wait(),
  accept: (model: Model) => model.command('accept'),
  retry: (model: Model) => model.command('retry'),
  restart: (model: Model) => model.restart(),
  'restart otherwise': (model: Model) => model.restartOtherwise(),
  crash: (model: Model) => model.crash(),
};
const names = Object.keys(happenings) as (keyof typeof happenings)[];

for (const policy of ['follow', 'hold', 'refuse'] as const) {
  test(`${policy}: in any order of moves, verdicts, commands and restarts each revision ends with one outcome`, () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...names), { maxLength: 60, size: 'max' }), (order) => {
        const model = new Model(policy);
        for (const name of order) happenings[name](model);
        model.finish();
      }),
      { numRuns: 1500 },
    );
  });
}
