import protobuf from 'protobufjs/minimal.js';
import type { Version } from '../ids.ts';
import { encodeRuntime, RUNTIME_TYPE } from '../release/encode.ts';
import { nonceOf } from './stream/nonce.ts';
import type { Dialect, Resource, Target } from './stream/types.ts';

/** A release as it is offered to nodes: its version on the wire, and the bytes of its resources (release/encode.ts), by type URL. */
export interface EncodedRelease {
  readonly version: Version;
  readonly resources: ReadonlyMap<string, readonly Resource[]>;
}

/** A release of which all is one runtime layer. `name`: the resource's. */
export function encodedRuntime(version: Version, name: string, bytes: Uint8Array): EncodedRelease {
  return { version, resources: new Map([[RUNTIME_TYPE, [{ name, bytes }]]]) };
}

/** A target's encoded responses, made when the first stream needs them. */
interface Encoded {
  /** By type URL. */
  readonly messages: Readonly<Record<Dialect, Map<string, Buffer>>>;
  readonly absences: Map<string, Buffer>;
}

/** Shared by all streams, and freed with the target. */
const all = new WeakMap<Target, Encoded>();

/** How many encoded absences are cached for a target: only few names are asked for by many nodes. */
const ABSENT_KEPT = 100;

/**
 * The response with a target's resources of one type. Messages are framed for gRPC (a flag byte and the length in front:
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md), so that one buffer can be written to every stream.
 */
export function messageOf(target: Target, typeUrl: string, dialect: Dialect): Buffer {
  const messages = encodedOf(target).messages[dialect];
  const known = messages.get(typeUrl);
  if (known !== undefined) return known;
  const response = { version: target.version, nonce: nonceOf(target, null), typeUrl };
  const bytes = encode[dialect](response, target.resources.get(typeUrl) ?? []);
  messages.set(typeUrl, bytes);
  return bytes;
}

/** The response about another name, which the config does not define. */
export function absenceOf(
  target: Target,
  about: Readonly<{ typeUrl: string; dialect: Dialect; name: string }>,
): Buffer {
  const { absences } = encodedOf(target);
  const key = `${about.dialect}/${about.typeUrl}/${about.name}`;
  const bytes = absences.get(key) ?? encodeAbsent(target, about);
  if (absences.size < ABSENT_KEPT) absences.set(key, bytes);
  return bytes;
}

function encodedOf(target: Target): Encoded {
  const known = all.get(target);
  if (known !== undefined) return known;
  const encoded = {
    messages: { sotw: new Map<string, Buffer>(), delta: new Map<string, Buffer>() },
    absences: new Map(),
  };
  all.set(target, encoded);
  return encoded;
}

interface Response {
  readonly version: Version;
  readonly nonce: string;
  readonly typeUrl: string;
}

const encode = { sotw: encodeSotw, delta: encodeDelta };

function encodeAbsent(target: Target, { typeUrl, dialect, name }: Parameters<typeof absenceOf>[1]): Buffer {
  const response = { version: target.version, nonce: nonceOf(target, name), typeUrl };
  if (dialect === 'sotw') return encodeSotw(response, [{ name, bytes: encodeRuntime(new Map(), name) }]);
  return frame([deltaHead(response).uint32(tag(6)).string(name).finish()]); // removed_resources
}

/** DiscoveryResponse: the resources' bytes are copied once, not through the writer. */
function encodeSotw({ version, nonce, typeUrl }: Response, resources: readonly Resource[]): Buffer {
  const writer = protobuf.Writer.create();
  writer.uint32(tag(1)).string(version); // version_info
  writer.uint32(tag(4)).string(typeUrl); // type_url
  writer.uint32(tag(5)).string(nonce);
  return frame([writer.finish(), ...resources.flatMap(({ bytes }) => [fieldHead(2, bytes.length), bytes])]); // resources
}

/** DeltaDiscoveryResponse. */
function encodeDelta(response: Response, resources: readonly Resource[]): Buffer {
  const parts = resources.flatMap(({ name, bytes }) => {
    const inner = protobuf.Writer.create();
    inner.uint32(tag(1)).string(response.version);
    inner.uint32(tag(3)).string(name);
    const head = inner.uint32(tag(2)).uint32(bytes.length).finish();
    return [fieldHead(2, head.length + bytes.length), head, bytes]; // resources
  });
  return frame([deltaHead(response).finish(), ...parts]);
}

function deltaHead({ version, nonce, typeUrl }: Response): protobuf.Writer {
  const writer = protobuf.Writer.create();
  writer.uint32(tag(1)).string(version); // system_version_info
  writer.uint32(tag(4)).string(typeUrl); // type_url
  return writer.uint32(tag(5)).string(nonce);
}

/** The tag and length before the bytes of a field. */
function fieldHead(field: number, length: number): Uint8Array {
  return protobuf.Writer.create().uint32(tag(field)).uint32(length).finish();
}

/** The tag of a length-delimited field. */
function tag(field: number): number {
  return (field << 3) | 2;
}

function frame(parts: readonly Uint8Array[]): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUInt32BE(
    parts.reduce((sum, part) => sum + part.length, 0),
    1,
  );
  return Buffer.concat([head, ...parts]);
}

/** Bytes of gRPC framing before a message: a flag and the length. */
export const FRAME_HEAD_BYTES = 5;
