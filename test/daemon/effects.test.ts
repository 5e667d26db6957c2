import { RUNTIME_TYPE } from '../../src/release/encode.ts';
import type { EncodedRelease } from '../../src/xds/push.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEffects } from '../../src/daemon/effects.ts';
import { Releases } from '../../src/daemon/releases.ts';
import type { Version } from '../../src/ids.ts';
import type { Release } from '../../src/release/release.ts';
import { createState } from '../../src/state/state.ts';
import { step } from '../../src/state/step.ts';
import type { Effect } from '../../src/state/step.ts';
import { makeConfig } from '../helpers/config.ts';
import { versionOf } from '../helpers/ids.ts';

const release = (name: string): Release => ({ version: versionOf(name), subject: '', config: makeConfig() });

/** The real state and releases; git, the streams and the judging are lists of what they were asked. */
function createScene() {
  const asked: string[] = [];
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
      offer: (encoded) => void asked.push(`offer ${encoded?.version ?? 'nothing'} ${lengthOf(encoded)}`),
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
  });
  const roll = (version: Version): void => {
    releases.put({ release: release(version), resource: null, content: '' });
    for (const effect of step(state, { type: 'release', at: 0, version }, 0).effects) carryOut(effect);
  };
  return { asked, releases, carryOut, roll, state };
}

test('what is offered has its bytes, and only what may be pushed again keeps them', () => {
  const { asked, releases, roll } = createScene();
  for (const version of ['v1', 'v2', 'v3'].map(versionOf)) roll(version);
  assert.match(asked.join(), /^offer v1 \d+,offer v2 \d+,offer v3 \d+$/);
  const kept = ['v1', 'v2', 'v3'].map(versionOf).filter((version) => releases.get(version) !== null);
  assert.deepEqual(kept, ['v3'], 'nobody was there to prove any of them: there is nothing to fall back to');
  assert.equal(releases.get(versionOf('v3')), releases.get(versionOf('v3')), 'encoded once');
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

function lengthOf(encoded: EncodedRelease | null): number {
  return encoded?.resources.get(RUNTIME_TYPE)?.[0]?.bytes.length ?? 0;
}
