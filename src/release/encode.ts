import protobuf from 'protobufjs/minimal.js';
import type { Json } from '../config/config.ts';

/** The type URL of RTDS resources. */
export const RUNTIME_TYPE = 'type.googleapis.com/envoy.service.runtime.v3.Runtime';

/**
 * Encodes a runtime layer as a `google.protobuf.Any` with an `envoy.service.runtime.v3.Runtime`, once per release; all pushes
 * share the bytes. `name` is the resource's name, which Envoy compares with its layer's.
 *
 * Written by hand over protobufjs's Writer, because the reflected encoder needs the .proto files (I/O) and a copy of every
 * entry, and is no faster: 100,000 keys take about 90 ms either way. The numbers are field numbers of the official protos.
 */
export function encodeRuntime(fields: ReadonlyMap<string, Json>, name: string): Buffer {
  const writer = protobuf.Writer.create();
  writer.uint32(tag(1, LENGTH)).string(RUNTIME_TYPE);
  writer.uint32(tag(2, LENGTH)).fork();
  writer.uint32(tag(1, LENGTH)).string(name);
  writer.uint32(tag(2, LENGTH)).fork();
  writeStruct(writer, fields);
  return toBuffer(writer.ldelim().ldelim().finish());
}

/** The resource's name in bytes that `encodeRuntime` has made. */
export function readRuntimeName(resource: Uint8Array): string {
  const reader = protobuf.Reader.create(resource);
  for (const skip of ['uint32', 'string', 'uint32', 'uint32', 'uint32'] as const) reader[skip](); // up to the field's value
  return reader.string();
}

const LENGTH = 2;
const VARINT = 0;
const FIXED64 = 1;

function tag(field: number, wireType: number): number {
  return (field << 3) | wireType;
}

/** google.protobuf.Struct: `map<string, Value> fields = 1`. */
function writeStruct(writer: protobuf.Writer, fields: Iterable<[string, Json]>): void {
  for (const [key, value] of fields) {
    writer.uint32(tag(1, LENGTH)).fork();
    writer.uint32(tag(1, LENGTH)).string(key);
    writer.uint32(tag(2, LENGTH)).fork();
    writeValue(writer, value);
    writer.ldelim().ldelim();
  }
}

/** google.protobuf.Value: the body of its one set field. */
function writeValue(writer: protobuf.Writer, value: Json): void {
  if (value === null) writer.uint32(tag(1, VARINT)).int32(0);
  else if (typeof value === 'number') writer.uint32(tag(2, FIXED64)).double(value);
  else if (typeof value === 'string') writer.uint32(tag(3, LENGTH)).string(value);
  else if (typeof value === 'boolean') writer.uint32(tag(4, VARINT)).bool(value);
  else {
    writer.uint32(tag(isList(value) ? 6 : 5, LENGTH)).fork();
    if (isList(value)) writeList(writer, value);
    else writeStruct(writer, Object.entries(value));
    writer.ldelim();
  }
}

/** google.protobuf.ListValue: `repeated Value values = 1`. */
function writeList(writer: protobuf.Writer, values: readonly Json[]): void {
  for (const value of values) {
    writer.uint32(tag(1, LENGTH)).fork();
    writeValue(writer, value);
    writer.ldelim();
  }
}

/** Array.isArray does not narrow a readonly array. */
function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
