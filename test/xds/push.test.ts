import { versionOf } from '../helpers/ids.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeRuntime, RUNTIME_TYPE } from '../../src/release/encode.ts';
import { root } from '../../src/xds/protos.ts';
import { absenceOf, messageOf } from '../../src/xds/push.ts';
import type { Dialect, Target } from '../../src/xds/stream/types.ts';

const resource = encodeRuntime(new Map([['a.b', 1]]), 'runtime');
const resources = new Map([[RUNTIME_TYPE, [{ name: 'runtime', bytes: resource }]]]);
const target: Target = { seq: 7, version: versionOf('abc'), resources };
const push = {
  message: (dialect: Dialect) => messageOf(target, RUNTIME_TYPE, dialect),
  absent: (dialect: Dialect, name: string) => absenceOf(target, { typeUrl: RUNTIME_TYPE, dialect, name }),
};

/** Takes the gRPC frame apart and decodes the message inside. */
function decode(type: string, frame: Buffer): Record<string, unknown> {
  assert.equal(frame[0], 0, 'not compressed');
  assert.equal(frame.readUInt32BE(1), frame.length - 5);
  const found = root.lookupType(`envoy.service.discovery.v3.${type}`);
  return found.toObject(found.decode(frame.subarray(5)));
}

const Any = root.lookupType('google.protobuf.Any');
const any = Any.toObject(Any.decode(resource));

describe('a push', () => {
  it('is a DiscoveryResponse of one resource', () => {
    assert.deepEqual(decode('DiscoveryResponse', push.message('sotw')), {
      version_info: 'abc',
      type_url: RUNTIME_TYPE,
      nonce: '7',
      resources: [any],
    });
  });

  it('is a DeltaDiscoveryResponse of one resource', () => {
    assert.deepEqual(decode('DeltaDiscoveryResponse', push.message('delta')), {
      system_version_info: 'abc',
      type_url: RUNTIME_TYPE,
      nonce: '7',
      resources: [{ name: 'runtime', version: 'abc', resource: any }],
    });
  });

  it('has all resources of the type that is asked for, and no others', () => {
    const bytes = Any.encode({ type_url: 'type/other', value: Buffer.from('x') }).finish();
    const others = ['one', 'two'].map((name) => ({ name, bytes }));
    const both: Target = {
      seq: 8,
      version: versionOf('abc'),
      resources: new Map([...resources, ['type/other', others]]),
    };
    const other = Any.toObject(Any.decode(bytes));
    assert.deepEqual(decode('DiscoveryResponse', messageOf(both, 'type/other', 'sotw')), {
      version_info: 'abc',
      type_url: 'type/other',
      nonce: '8',
      resources: [other, other],
    });
    assert.deepEqual(decode('DeltaDiscoveryResponse', messageOf(both, 'type/other', 'delta'))['resources'], [
      { name: 'one', version: 'abc', resource: other },
      { name: 'two', version: 'abc', resource: other },
    ]);
    assert.deepEqual(decode('DiscoveryResponse', messageOf(both, RUNTIME_TYPE, 'sotw'))['resources'], [any]);
  });

  it('is encoded once, and shared', () => {
    assert.equal(push.message('sotw'), push.message('sotw'));
    assert.equal(push.absent('delta', 'x'), push.absent('delta', 'x'));
  });

  it('says of another name that it is empty (SotW) or removed (delta)', () => {
    const empty = Any.toObject(Any.decode(encodeRuntime(new Map(), 'x')));
    assert.deepEqual(decode('DiscoveryResponse', push.absent('sotw', 'x')), {
      version_info: 'abc',
      type_url: RUNTIME_TYPE,
      nonce: '7/x',
      resources: [empty],
    });
    assert.deepEqual(decode('DeltaDiscoveryResponse', push.absent('delta', 'x')), {
      system_version_info: 'abc',
      type_url: RUNTIME_TYPE,
      nonce: '7/x',
      removed_resources: ['x'],
    });
  });

  it('keeps a bounded number of those', () => {
    for (let i = 0; i < 100; i += 1) push.absent('sotw', `n${i}`);
    assert.notEqual(push.absent('sotw', 'late'), push.absent('sotw', 'late'));
  });
});
