import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as fc from 'fast-check';
import { UnreadRequests } from '../../src/xds/unread-requests.ts';

const QUEUED = 1_500;

function frame(length: number): Buffer {
  const bytes = Buffer.alloc(5 + length);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

it('counts what is not complete and what is not read, however the bytes come', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(2_000), { maxLength: 20 }),
      fc.nat(500),
      fc.integer({ min: 1, max: 700 }),
      (lengths, rest, step) => {
        const unread = new UnreadRequests();
        const bytes = Buffer.concat([...lengths.map(frame), frame(1_000).subarray(0, 5 + rest)]);
        for (let at = 0; at < bytes.length; at += step) unread.add(bytes.subarray(at, at + step));
        const complete = lengths.reduce((sum, length) => sum + length, 0);
        assert.equal(unread.cost, complete + rest + lengths.length * QUEUED);
        assert.equal(unread.isBetween, false);
        for (let at = 0; at < lengths.length; at += 1) unread.read();
        assert.equal(unread.cost, rest);
      },
    ),
  );
});

it('is nothing between requests', () => {
  const unread = new UnreadRequests();
  unread.add(frame(0));
  unread.add(frame(10));
  assert.equal(unread.cost, 10 + 2 * QUEUED);
  unread.read();
  unread.read();
  assert.equal(unread.cost, 0);
  assert.equal(unread.isBetween, true);
});
