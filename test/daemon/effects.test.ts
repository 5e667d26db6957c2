import { RUNTIME_TYPE } from '../../src/release/encode.ts';
import type { EncodedRelease } from '../../src/xds/push.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEffects } from '../../src/daemon/effects.ts';
import { Releases } from '../../src/daemon/releases.ts';
import type { Version } from '../../src/ids.ts';
import type { Release } from '../../src/release/release.ts';
import { everyone, type Plan } from '../../src/rollout/plan.ts';
import type { RolloutEvent } from '../../src/rollout/types.ts';
import { createState } from '../../src/state/state.ts';
import { step } from '../../src/state/step.ts';
import type { Effect } from '../../src/state/step.ts';
import { makeConfig } from '../helpers/config.ts';
import { labelsOf, sessionOf, versionOf } from '../helpers/ids.ts';

const release = (name: string): Release => ({ version: versionOf(name), subject: '', config: makeConfig() });

/** The real state and releases; git, the streams and the judging are lists of what they were asked. */
function createScene() {
  const asked: string[] = [];
  const written = Promise.withResolvers<undefined>();
  let isWithheld = false;
  const state = createState({
    revisions: { ref: 'main', file: 'f', isVerified: false },
    rollout: { ackTimeoutMs: 30_000, quorum: 0.5, voteAfterMs: 0 },
    ...{ memory: null, open: [], now: 0 },
  });
  const releases = new Releases({ resource: 'r', encoding: 'auto' });
  const carryOut = createEffects({
    ...{ state, releases },
    xds: {
      offer: (encoded, wave) =>
        void asked.push(`offer ${describe(encoded)}${wave ? ` wave ${describe(wave.release)}` : ''}`),
      withhold: () => {
        isWithheld = true;
        asked.push('withhold');
      },
      get isWithheld() {
        return isWithheld;
      },
    },
    source: { accept: (tip) => asked.push(`accept ${tip}`) > 0 },
    judging: { begin: (effect) => void asked.push(effect.type) },
    journal: { settled: () => written.promise },
  });
  const act = (event: RolloutEvent): void => {
    for (const effect of step(state, event, event.at).effects) carryOut(effect);
  };
  const roll = (version: Version, plan?: Plan): void => {
    releases.put({ release: release(version), resource: null, content: '' });
    act({ type: 'release', at: 0, version, ...(plan && { plan }) });
  };
  return { asked, releases, carryOut, act, roll, state, written };
}

test('what is offered has its bytes, and only what may be pushed again keeps them', () => {
  const { asked, releases, roll } = createScene();
  for (const version of ['v1', 'v2', 'v3'].map(versionOf)) roll(version);
  assert.match(asked.join(), /^offer v1 \d+,offer v2 \d+,offer v3 \d+$/);
  const kept = ['v1', 'v2', 'v3'].map(versionOf).filter((version) => releases.get(version) !== null);
  assert.deepEqual(kept, ['v3'], 'nobody was there to prove any of them: there is nothing to fall back to');
  assert.equal(releases.get(versionOf('v3')), releases.get(versionOf('v3')), 'encoded once');
});

const plan: Plan = {
  strategy: 's',
  waves: [{ ...everyone, nodes: { type: 'count', count: 1 }, bakeMs: 60_000 }, everyone],
};

/** v1 is live on one node, and v2 is in its first wave, in a plan of two. */
function inFirstWave() {
  const scene = createScene();
  const { asked, releases, roll, act } = scene;
  act({ type: 'joined', at: 0, session: sessionOf('a'), node: labelsOf('a') });
  roll(versionOf('v1'));
  act({ type: 'acked', at: 0, session: sessionOf('a'), version: versionOf('v1') });
  asked.length = 0;
  roll(versionOf('v2'), plan);
  releases.put({ release: release('v3'), resource: null, content: '' }); // judged meanwhile
  return scene;
}

test('a wave is pushed once it is written, so that no restart takes it back', async () => {
  const { asked, written } = inFirstWave();
  assert.deepEqual(asked, []);
  written.resolve(undefined);
  await written.promise;
  await Promise.resolve();
  assert.match(asked.join(), /^offer v1 \d+ wave v2 \d+$/);
});

test('a rollback does not wait for a wave that is being written, and the wave is not pushed after it', async () => {
  const { asked, written, act } = inFirstWave();
  act({ type: 'abort', at: 1, by: 'ann', why: '' });
  assert.match(asked.join(), /^offer v1 \d+$/);
  written.resolve(undefined);
  await written.promise;
  await Promise.resolve();
  assert.equal(asked.length, 1);
});

test('with nothing left to offer no Envoy is emptied before git has been asked', () => {
  const { asked, carryOut } = createScene();
  carryOut({ type: 'offer_nothing' });
  assert.deepEqual(asked, [], 'nobody waits for it');
  carryOut({ type: 'offer', version: null });
  carryOut({ type: 'offer_nothing' });
  assert.deepEqual(asked, ['withhold', 'offer nothing 0']);
});

test('a release whose bytes are not at hand empties no Envoy', () => {
  const { asked, carryOut } = createScene();
  carryOut({ type: 'offer', version: versionOf('lost') });
  assert.deepEqual(asked, ['withhold']);
});

test('the tip is taken by git, and revisions are judged and listed by the judging', () => {
  const { asked, carryOut } = createScene();
  const standing = { isHead: true, isOvertaken: false, tip: 't', previous: null };
  const effects: Effect[] = [
    { type: 'accept_tip', tip: 't' },
    { type: 'judge', version: versionOf('v'), next: [], standing },
    { type: 'list', tip: 't', skip: 0, limit: 20 },
  ];
  effects.forEach(carryOut);
  assert.deepEqual(asked, ['accept t', 'judge', 'list']);
});

function describe(encoded: EncodedRelease | null): string {
  return `${encoded?.version ?? 'nothing'} ${lengthOf(encoded)}`;
}

function lengthOf(encoded: EncodedRelease | null): number {
  return encoded?.resources.get(RUNTIME_TYPE)?.[0]?.bytes.length ?? 0;
}
