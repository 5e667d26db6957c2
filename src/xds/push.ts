import protobuf from 'protobufjs/minimal.js';
import { encodeRuntime, RUNTIME_TYPE } from '../release/encode.ts';
import type { Dialect, Target } from './stream/types.ts';

/** A release as it is offered to the fleet: its version, and the bytes of its one resource (release/encode.ts). */
export interface EncodedRelease {
  readonly version: string;
  readonly resource: Buffer;
}

/** A target and its messages, each encoded when the first stream needs it, and then shared by all. */
export interface Push extends Target {
  /** The response that carries the configured resource. */
  readonly message: (dialect: Dialect) => Buffer;
  /** The response about another name, which the config does not define. */
  readonly absent: (dialect: Dialect, name: string) => Buffer;
}

/** How many names a push keeps the encoded absence of: those that many nodes ask for are few. */
const ABSENT_KEPT = 100;

/**
 * A push of `release`, whose resource is called `name`. Messages are framed for gRPC (a flag byte and the length in front:
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md), so that one buffer can be written to every stream.
 */
export function createPush(seq: number, name: string, release: EncodedRelease): Push {
  const { version, resource } = release;
  const messages: Partial<Record<Dialect, Buffer>> = {};
  const absences = new Map<string, Buffer>();
  const encode = { sotw: encodeSotw, delta: encodeDelta };
  return {
    seq,
    version,
    message: (dialect) => (messages[dialect] ??= encode[dialect]({ version, nonce: String(seq), name, resource })),
    absent: (dialect, other) => {
      const key = `${dialect}/${other}`;
      const bytes = absences.get(key) ?? encodeAbsent(dialect, { version, nonce: `${seq}/${other}`, name: other });
      if (absences.size < ABSENT_KEPT) absences.set(key, bytes);
      return bytes;
    },
  };
}

interface Response {
  readonly version: string;
  readonly nonce: string;
  readonly name: string;
}

function encodeAbsent(dialect: Dialect, response: Response): Buffer {
  if (dialect === 'sotw') return encodeSotw({ ...response, resource: encodeRuntime(new Map(), response.name) });
  const writer = deltaHead(response);
  return frame([writer.uint32(tag(6)).string(response.name).finish()]); // removed_resources
}

/** DiscoveryResponse with one resource: its bytes are copied once, not through the writer. */
function encodeSotw({ version, nonce, resource }: Response & { readonly resource: Buffer }): Buffer {
  const writer = protobuf.Writer.create();
  writer.uint32(tag(1)).string(version); // version_info
  writer.uint32(tag(4)).string(RUNTIME_TYPE); // type_url
  writer.uint32(tag(5)).string(nonce);
  writer.uint32(tag(2)).uint32(resource.length); // resources
  return frame([writer.finish(), resource]);
}

/** DeltaDiscoveryResponse with one Resource. */
function encodeDelta(response: Response & { readonly resource: Buffer }): Buffer {
  const { version, name, resource } = response;
  const inner = protobuf.Writer.create();
  inner.uint32(tag(1)).string(version);
  inner.uint32(tag(3)).string(name);
  inner.uint32(tag(2)).uint32(resource.length);
  const innerHead = inner.finish();
  const writer = deltaHead(response);
  writer.uint32(tag(2)).uint32(innerHead.length + resource.length); // resources
  return frame([writer.finish(), innerHead, resource]);
}

function deltaHead({ version, nonce }: Response): protobuf.Writer {
  const writer = protobuf.Writer.create();
  writer.uint32(tag(1)).string(version); // system_version_info
  writer.uint32(tag(4)).string(RUNTIME_TYPE); // type_url
  return writer.uint32(tag(5)).string(nonce);
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

/** The bytes of gRPC framing in front of a message. */
export const FRAME_HEAD_BYTES = 5;
