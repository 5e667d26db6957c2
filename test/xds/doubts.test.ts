import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Doubts } from '../../src/xds/doubts.ts';

it('trusts nobody where a node may be poisoned since before', () => {
  assert.equal(new Doubts(false).isTrusted('a'), false);
});

it('remembers a node in doubt over its streams, and after they have gone', () => {
  const doubts = new Doubts(true);
  const [one, other] = [doubts.open('a'), doubts.open('a')];
  assert.equal(doubts.isTrusted('a'), true);
  one.inDoubt = true;
  assert.equal(doubts.isTrusted('a'), false);
  doubts.close(one);
  doubts.close(other);
  assert.equal(doubts.isTrusted('a'), false);
  const again = doubts.open('a');
  assert.equal(doubts.isTrusted('a'), false);
  again.inDoubt = false;
  doubts.close(again);
  assert.equal(doubts.isTrusted('a'), true);
});

it('trusts nobody any more once more have left in doubt than it remembers, and remembers none of them', () => {
  const doubts = new Doubts(true);
  for (let at = 0; at <= 20_000; at += 1) {
    assert.equal(doubts.isTrusted('other'), true);
    const doubt = doubts.open(`node-${at}`);
    doubt.inDoubt = true;
    doubts.close(doubt);
  }
  assert.equal(doubts.isTrusted('other'), false);
  assert.equal(doubts.open('node-0').inDoubt, false);
});
