import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LogThrottle } from '../../src/daemon/log-throttle.ts';

describe('what throttle itself', () => {
  it('is said a few times for each cause and peer, and how often it was left out', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const said: string[] = [];
    const throttle = new LogThrottle({ logLeftOut: (...leftOut) => void said.push(leftOut.join(' ')), times: 2 });
    const flood = (cause: string, peer: string, times: number): void => {
      for (let i = 0; i < times; i += 1) throttle.run(cause, peer, () => void said.push(`${cause} ${peer}`));
    };
    flood('reject', 'a', 5);
    flood('reject', 'b', 1);
    flood('nack', 'a', 3);
    assert.deepEqual(said.splice(0), ['reject a', 'reject a', 'reject b', 'nack a', 'nack a']);
    t.mock.timers.tick(60_000);
    assert.deepEqual(said.splice(0), ['3 reject a', '1 nack a']);
    flood('reject', 'a', 1);
    t.mock.timers.tick(60_000);
    assert.deepEqual(said, ['reject a']);
    throttle.close();
  });

  it('of more peers than are told apart has one count for each cause', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const said: string[] = [];
    const leftOut: string[] = [];
    const throttle = new LogThrottle({ logLeftOut: (...one) => void leftOut.push(one.join(' ')), times: 1, keys: 3 });
    for (let peer = 0; peer < 1_000; peer += 1)
      throttle.run('reject', String(peer), () => void said.push(String(peer)));
    throttle.run('reject', '1', () => void said.push('1'));
    assert.deepEqual(said, ['0', '1', '2', '3']);
    t.mock.timers.tick(60_000);
    assert.deepEqual(leftOut, ['1 reject 1', '996 reject several']);
    throttle.close();
  });
});
