import { allAtOnce, type Plan } from '../../src/rollout/plan.ts';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Verdict } from '../../src/revisions/types.ts';
import { Model } from './model.ts';

const everyone = { nodes: { type: 'everyone' }, customers: null, bakeMs: 0, isManual: false } as const;
const gradual: Plan = {
  strategy: 'gradual',
  waves: [
    { ...everyone, nodes: { type: 'count', count: 1 }, bakeMs: 60_000 },
    { ...everyone, nodes: { type: 'matching', globs: { id: 'x*' } }, bakeMs: 60_000 },
    { ...everyone, customers: { type: 'named', ids: ['acme'] }, isManual: true },
    { ...everyone, bakeMs: 60_000 },
  ],
};

const verdicts: Record<'valid' | 'invalid' | 'shrinks' | 'gradual', Verdict> = {
  gradual: { valid: true, shrink: null, digest: null, plan: gradual },
  valid: { valid: true, shrink: null, digest: null, plan: allAtOnce },
  invalid: { valid: false, diagnostics: [] },
  shrinks: { valid: true, shrink: 'it shrinks', digest: null, plan: allAtOnce },
};

const happenings = {
  'commit valid': (model: Model) => model.commit(verdicts.valid),
  'commit gradual': (model: Model) => model.commit(verdicts.gradual),
  'commit more': (model: Model) => model.commit(verdicts.gradual),
  'commit the first again': (model: Model) => model.commit(verdicts.gradual, 0),
  'commit the third again': (model: Model) => model.commit(verdicts.gradual, 2),
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
  'ack n': (model: Model) => model.answer('n', true),
  'ack m': (model: Model) => model.answer('m', true),
  'all ack': (model: Model) => model.answerAll(),
  'nack n': (model: Model) => model.answer('n', false),
  'nack m': (model: Model) => model.answer('m', false),
  'join n': (model: Model) => model.join('n'),
  'join m': (model: Model) => model.join('m'),
  'join o': (model: Model) => model.join('o'),
  'leave n': (model: Model) => model.leave('n'),
  'leave m': (model: Model) => model.leave('m'),
  wait: (model: Model) => model.wait(31),
  'wait on': (model: Model) => model.wait(61),
  'wait long': (model: Model) => model.wait(400),
  pause: (model: Model) => model.operate('pause'),
  resume: (model: Model) => model.operate('resume'),
  promote: (model: Model) => model.operate('promote'),
  'promote all': (model: Model) => model.operate('promote all'),
  abort: (model: Model) => model.operate('abort'),
  freeze: (model: Model) => model.operate('freeze'),
  'freeze for a while': (model: Model) => model.operate('freeze for a while'),
  unfreeze: (model: Model) => model.operate('unfreeze'),
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
