import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { root } from '../../src/xds/protos.ts';
import { ReportDecoder } from '../../src/xds/load/report-decoder.ts';
import { LOAD_STATS_REQUEST, toReport } from './load-client.ts';
import { toFrame } from './raw.ts';

const MAX = 1_000_000;
const type = root.lookupType(LOAD_STATS_REQUEST);

function frame(message: Uint8Array, flag = 0): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flag);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** What the decoder makes of these bytes, `step` at a time. */
function decode(bytes: Buffer, step: number): Buffer[] {
  const decoder = new ReportDecoder(MAX);
  const messages: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += step) messages.push(...decoder.write(bytes.subarray(at, at + step)));
  return messages;
}

describe('the decoder of load reports', () => {
  it('leaves the node out of all but the first, and nothing else, however the bytes come', () => {
    const report = fc.record({
      node: fc.option(fc.record({ id: fc.string({ maxLength: 300 }), cluster: fc.string() }), { nil: null }),
      ok: fc.nat(1_000_000),
    });
    fc.assert(
      fc.property(fc.array(report, { maxLength: 6 }), fc.integer({ min: 1, max: 400 }), (reports, step) => {
        const messages = reports.map(({ node, ok }) => ({ ...(node && { node }), ...toReport({ backends: [ok, 1] }) }));
        const got = decode(Buffer.concat(messages.map((message) => toFrame(LOAD_STATS_REQUEST, message))), step);
        const expected = messages.map((message, at) => (at === 0 ? message : { ...message, node: null }));
        assert.deepEqual(
          got,
          expected.map((message) => toFrame(LOAD_STATS_REQUEST, message)),
        );
      }),
    );
  });

  it('passes on any other bytes as they are', () => {
    const first = frame(type.encode(type.fromObject({ node: { id: 'n1' } })).finish());
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 1, max: 9 }), (bytes, step) => {
        const [, second] = decode(Buffer.concat([first, frame(bytes), first]), step);
        assert.ok(second);
        const tail = Buffer.from(bytes);
        // Either as it was, or without a node in front, whose length fits.
        const length = tail.length - (second.length - 5);
        if (length > 0) assert.equal(tail[0], 0x0a);
        assert.deepEqual(second.subarray(5), tail.subarray(length));
        assert.equal(second.readUInt32BE(1), second.length - 5);
      }),
      { numRuns: 2_000 },
    );
    for (const odd of [[], [0x0a], [0x0a, 0xff], [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], [0x0a, 5, 1], [0x12, 0]])
      assert.deepEqual(decode(Buffer.concat([first, frame(Uint8Array.from(odd))]), 1)[1], frame(Uint8Array.from(odd)));
  });

  it('does not look into a compressed message, and refuses one that is too long', () => {
    const compressed = frame(Uint8Array.from([0x0a, 1, 2, 3]), 1);
    assert.deepEqual(decode(Buffer.concat([frame(new Uint8Array()), compressed]), 2)[1], compressed);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(MAX + 1, 1);
    assert.throws(() => new ReportDecoder(MAX).write(head), /larger than max \(1000001 vs 1000000\)/);
  });

  it('collects what the skipped bytes leave behind, and goes on', () => {
    const node = { node: { id: 'n'.repeat(900_000) } };
    const bytes = toFrame(LOAD_STATS_REQUEST, node);
    const decoder = new ReportDecoder(MAX);
    for (let at = 0; at < 40; at += 1) {
      const [message] = decoder.write(bytes);
      assert.equal(message?.length, at === 0 ? bytes.length : 5);
    }
  });
});
