import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import protobuf from 'protobufjs';
import { root, services } from '../../src/xds/protos.ts';

/** The official files, as @grpc/grpc-js-xds ships them. */
const official = loadOfficial();

const options = { longs: Number, enums: String, bytes: Array };

const messages = [
  'google.rpc.Status',
  'envoy.config.core.v3.Node',
  'envoy.service.discovery.v3.DiscoveryRequest',
  'envoy.service.discovery.v3.DiscoveryResponse',
  'envoy.service.discovery.v3.DeltaDiscoveryRequest',
  'envoy.service.discovery.v3.DeltaDiscoveryResponse',
  'envoy.service.discovery.v3.Resource',
  'envoy.service.runtime.v3.Runtime',
  'envoy.service.load_stats.v3.LoadStatsRequest',
  'envoy.service.load_stats.v3.LoadStatsResponse',
  'envoy.service.status.v3.ClientStatusRequest',
  'envoy.service.status.v3.ClientStatusResponse',
];

describe('our protos are wire-compatible with the official ones', () => {
  for (const name of messages) {
    it(`${name}: what one side writes the other reads the same`, () => {
      const [ours, theirs] = [root.lookupType(name), official.lookupType(name)];
      fc.assert(
        fc.property(toArbitrary(ours, 0), (message) => {
          const there = theirs.decode(ours.encode(ours.fromObject(message)).finish());
          const back = ours.decode(theirs.encode(theirs.fromObject(message)).finish());
          const expected = ours.toObject(ours.fromObject(message), options);
          assert.deepEqual(theirs.toObject(there, options), expected);
          assert.deepEqual(ours.toObject(back, options), expected);
        }),
        { numRuns: 200 },
      );
    });

    it(`${name}: what we leave out of it is skipped`, () => {
      const [ours, theirs] = [root.lookupType(name), official.lookupType(name)];
      fc.assert(
        fc.property(toArbitrary(theirs, 0), (message) => {
          const bytes = theirs.encode(theirs.fromObject(message)).finish();
          const read = ours.decode(bytes);
          const again = theirs.decode(ours.encode(read).finish());
          assert.deepEqual(theirs.toObject(again, options), ours.toObject(read, options));
        }),
        { numRuns: 100 },
      );
    });
  }

  it('every method has the official path, types and streaming', () => {
    const methods = Object.values(services).flatMap((service) => ('format' in service ? [] : Object.values(service)));
    assert.equal(methods.length, 7 + 3); // three of health
    for (const method of methods.filter(({ path }) => path.startsWith('/envoy.'))) {
      const [, service = '', name = ''] = method.path.split('/');
      const other = official.lookupService(service).methods[name];
      assert.ok(other, method.path);
      other.resolve();
      assert.equal(other.requestStream ?? false, method.requestStream);
      assert.equal(other.responseStream ?? false, method.responseStream);
      assert.equal(other.resolvedRequestType?.name, (method.requestType.type as { name: string }).name);
      assert.equal(other.resolvedResponseType?.name, (method.responseType.type as { name: string }).name);
    }
  });
});

/** Messages of a type: each field of it may be set, three levels deep. Maps and oneofs as they are on the wire. */
function toArbitrary(type: protobuf.Type, depth: number): fc.Arbitrary<Record<string, unknown>> {
  type.fieldsArray.forEach((field) => field.resolve());
  const fields = type.fieldsArray.filter((field) => depth < 3 || !(field.resolvedType instanceof protobuf.Type));
  const record = Object.fromEntries(fields.map((field) => [field.name, toField(field, depth)]));
  return fc.record(record, { requiredKeys: [] }).map((message) => keepOneOfEach(type, message));
}

function toField(field: protobuf.Field, depth: number): fc.Arbitrary<unknown> {
  const value = toValue(field, depth);
  if (field instanceof protobuf.MapField)
    return fc.dictionary(
      fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'),
      value,
      { minKeys: 1, maxKeys: 3 },
    );
  return field.repeated ? fc.array(value, { minLength: 1, maxLength: 3 }) : value;
}

/** Never a default: proto3 does not write those, and then they are not read either. */
function toValue(field: protobuf.Field, depth: number): fc.Arbitrary<unknown> {
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Enum) {
    const values = Object.keys(resolvedType.values);
    return fc.constantFrom(...(values.length > 1 ? values.slice(1) : values)); // NullValue has one
  }
  if (resolvedType instanceof protobuf.Type) return toArbitrary(resolvedType, depth + 1);
  switch (field.type) {
    case 'string':
      return fc.string({ minLength: 1, unit: 'grapheme' });
    case 'bytes':
      return fc.array(fc.nat({ max: 255 }), { minLength: 1, maxLength: 8 });
    case 'bool':
      return fc.constant(true);
    case 'double':
    case 'float':
      return fc.constantFrom(1.5, -2.25, 1e9);
    default:
      return fc.integer({ min: 1, max: 2 ** 31 - 1 });
  }
}

function keepOneOfEach(type: protobuf.Type, message: Record<string, unknown>): Record<string, unknown> {
  for (const { fieldsArray } of type.oneofsArray) {
    const set = fieldsArray.map(({ name }) => name).filter((name) => name in message);
    for (const name of set.slice(1)) Reflect.deleteProperty(message, name);
  }
  return message;
}

function loadOfficial(): protobuf.Root {
  const entry = createRequire(import.meta.url).resolve('@grpc/grpc-js-xds');
  const deps = join(dirname(entry), '../../deps');
  const folders = ['envoy-api', 'googleapis', 'protoc-gen-validate', 'xds'].map((name) => join(deps, name));
  const loaded = new protobuf.Root();
  loaded.resolvePath = (_origin, target) => {
    if (protobuf.common.get(target) !== null) return target;
    return folders.map((folder) => join(folder, target)).find((path) => existsSync(path)) ?? target;
  };
  loaded.loadSync(
    ['discovery/v3/ads.proto', 'load_stats/v3/lrs.proto', 'runtime/v3/rtds.proto', 'status/v3/csds.proto'].map(
      (file) => `envoy/service/${file}`,
    ),
    { keepCase: true },
  );
  loaded.resolveAll();
  return loaded;
}
