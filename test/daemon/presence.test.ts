import { versionOf } from '../helpers/ids.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Presence } from '../../src/daemon/presence.ts';
import type { StreamAction } from '../../src/xds/stream/types.ts';

const hour = 3_600_000;
const joined: StreamAction = { type: 'joined', claims: null };
const left: StreamAction = { type: 'left' };

function createScene() {
  const said: string[] = [];
  const connected = new Set<string>();
  const clock = { now: 0 };
  const log = { info: (_fields: object, words: string) => void said.push(words) };
  const presence = new Presence(
    log,
    (id) => connected.has(id),
    () => clock.now,
  );
  const on = (id: string, action: StreamAction, version: string | null = null): void => {
    const node = { id, cluster: '', locality: '', userAgent: '', userAgentVersion: '', metadata: {} };
    const acked = version === null ? null : { version: versionOf(version), at: 0 };
    presence.onStream({ node, peer: '10.0.0.1:1', last: { sent: null, acked, refused: null } }, action);
  };
  return { said, connected, clock, presence, on };
}

test('who has gone is remembered for a day, with when it was seen last, and what it ran', () => {
  const { presence, on, ...scene } = createScene();
  on('a', joined);
  on('a', left, 'v1');
  assert.deepEqual(presence.gone(), [
    { id: 'a', lastSeen: '1970-01-01T00:00:00.000Z', version: 'v1', address: '10.0.0.1:1' },
  ]);
  on('a', joined);
  assert.deepEqual(presence.gone(), []);
  scene.connected.add('a');
  on('a', left);
  assert.deepEqual(presence.gone(), [], 'another stream of it is there');
  presence.close();
});

test('a day later it is forgotten, and there is a bound', (t) => {
  const scene = createScene();
  t.after(() => scene.presence.close());
  scene.on('a', left);
  scene.clock.now = 24 * hour;
  assert.equal(scene.presence.gone().length, 1);
  scene.clock.now += 1;
  assert.equal(scene.presence.gone().length, 0);
  for (let at = 0; at < 1_500; at += 1) scene.on(`n${at}`, left);
  const gone = scene.presence.gone();
  assert.equal(gone.length, 1_000);
  assert.equal(gone[0]?.id, 'n1499');
});

test('five in a second are named, the others counted', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { on, said, presence } = createScene();
  for (let at = 0; at < 100; at += 1) on(`n${at}`, joined);
  for (let at = 0; at < 3; at += 1) on(`n${at}`, left);
  assert.deepEqual(said.length, 5);
  assert.equal(said[0], 'Envoy n0 (10.0.0.1:1) joined');
  t.mock.timers.tick(1_000);
  assert.deepEqual(said.slice(5), ['Envoys: 95 more joined, 3 more left']);
  on('n0', left);
  assert.equal(said.at(-1), 'Envoy n0 (10.0.0.1:1) left');
  presence.close();
  assert.equal(said.length, 7);
});
