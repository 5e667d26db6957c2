import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { Json } from '../../src/config/config.ts';
import { encodeRuntime, RUNTIME_TYPE } from '../../src/release/encode.ts';
import { root } from '../../src/xds/protos.ts';

const Any = root.lookupType('google.protobuf.Any');
const Runtime = root.lookupType('envoy.service.runtime.v3.Runtime');

/** google.protobuf.Value, the way protobufjs takes it. */
function toValue(json: Json): object {
  if (json === null) return { nullValue: 0 };
  if (typeof json === 'number') return { numberValue: json };
  if (typeof json === 'string') return { stringValue: json };
  if (typeof json === 'boolean') return { boolValue: json };
  if (Array.isArray(json)) return { listValue: { values: json.map((value: Json) => toValue(value)) } };
  return { structValue: { fields: toFields(Object.entries(json)) } };
}

function toFields(entries: Iterable<[string, Json]>): Record<string, object> {
  return Object.fromEntries([...entries].map(([key, value]) => [key, toValue(value)]));
}

function byProtobufjs(fields: ReadonlyMap<string, Json>, name: string): Uint8Array {
  const value = Runtime.encode({ name, layer: { fields: toFields(fields) } }).finish();
  return Any.encode({ type_url: RUNTIME_TYPE, value }).finish();
}

describe('encodeRuntime', () => {
  it('writes the very bytes that protobufjs writes from the .proto files', () => {
    const key = fc.string({ unit: 'grapheme' }).filter((text) => text !== '__proto__' && !/^\d+$/.test(text));
    const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>;
    fc.assert(
      fc.property(fc.dictionary(key, json), fc.string({ minLength: 1 }), (object, name) => {
        const fields = new Map(Object.entries(object));
        assert.deepEqual(encodeRuntime(fields, name), Buffer.from(byProtobufjs(fields, name)));
      }),
    );
  });

  it('keeps numbers exact and fields in order', () => {
    const fields = new Map<string, Json>([
      ['zz', 1e300],
      ['aa', 0.1],
      ['mm', Number.MAX_SAFE_INTEGER],
    ]);
    const any = Any.decode(encodeRuntime(fields, 'runtime')) as unknown as { value: Buffer };
    const { layer } = Runtime.toObject(Runtime.decode(any.value)) as { layer: { fields: Record<string, object> } };
    assert.deepEqual(Object.entries(layer.fields), Object.entries(toFields(fields)));
  });

  it('is the same for the same fields: a release has one encoding', () => {
    const fields = new Map<string, Json>([
      ['a.b', 1],
      ['c', 'x'],
    ]);
    assert.deepEqual(encodeRuntime(fields, 'runtime'), encodeRuntime(new Map(fields), 'runtime'));
  });
});
