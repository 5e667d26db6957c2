import { RUNTIME_TYPE } from '../release/encode.ts';
import { root } from './protos.ts';
import {
  defaultStreamLimits,
  type Dialect,
  type ErrorDetail,
  type NodeIdentity,
  type Request,
} from './stream/types.ts';

/** Longest error_detail.message that is kept, in UTF-16 code units: Envoy's can quote the whole resource. */
const MESSAGE_LENGTH = 4096;
/** Longest cluster, locality and user agent that are kept for display. */
const LABEL_LENGTH = 256;

/** Anything beyond these exceeds the limits that the step checks (stream/types.ts), so cutting it hides nothing. */
const NAME_LENGTH = 2 * defaultStreamLimits.nameBytes;
const NAMES = 2 * defaultStreamLimits.names;

const types = {
  sotw: root.lookupType('envoy.service.discovery.v3.DiscoveryRequest'),
  delta: root.lookupType('envoy.service.discovery.v3.DeltaDiscoveryRequest'),
};

/**
 * Decodes a DiscoveryRequest or DeltaDiscoveryRequest for the stream's step. `metadataKeys`: what to keep of node.metadata. Throws on
 * invalid bytes.
 */
export function decodeRequest(dialect: Dialect, bytes: Uint8Array, metadataKeys: readonly string[] = []): Request {
  const message = types[dialect].decode(bytes) as unknown as WireRequest;
  // The names of a type that is not served aren't needed.
  const isOther = message.type_url !== '' && message.type_url !== RUNTIME_TYPE;
  const toNames = (names: readonly string[]): string[] => (isOther ? [] : cutNames(names));
  return {
    typeUrl: cut(message.type_url, NAME_LENGTH),
    node: message.node === null ? null : toNode(message.node, metadataKeys),
    nonce: cut(message.response_nonce, 2 * NAME_LENGTH),
    error: message.error_detail === null ? null : toErrorDetail(message.error_detail),
    body:
      dialect === 'sotw'
        ? { dialect, names: toNames(message.resource_names), version: cut(message.version_info, NAME_LENGTH) }
        : {
            dialect,
            subscribe: toNames(message.resource_names_subscribe),
            unsubscribe: isOther ? [] : message.resource_names_unsubscribe,
            initialVersions: isOther ? new Map() : toVersions(message.initial_resource_versions),
          },
  };
}

/** Both messages, as decoded by protobufjs: absent messages are null, absent scalars have their defaults. */
interface WireRequest {
  readonly type_url: string;
  readonly node: WireNode | null;
  readonly response_nonce: string;
  readonly error_detail: ErrorDetail | null;
  readonly resource_names: string[];
  readonly version_info: string;
  readonly resource_names_subscribe: string[];
  readonly resource_names_unsubscribe: string[];
  readonly initial_resource_versions: Record<string, string>;
}

/** A Node, as decoded by protobufjs. */
export interface WireNode {
  readonly id: string;
  readonly cluster: string;
  readonly locality: { readonly region: string; readonly zone: string; readonly sub_zone: string } | null;
  readonly metadata: WireStruct | null;
  readonly user_agent_name: string;
  readonly user_agent_version: string | null;
  readonly user_agent_build_version: { readonly version: WireVersion | null } | null;
}

interface WireStruct {
  readonly fields: Readonly<Record<string, WireValue>>;
}

/** Absent fields of the oneof are undefined or have their defaults: `kind` tells. */
interface WireValue {
  readonly kind?: string;
  readonly string_value?: string;
  readonly number_value?: number;
  readonly bool_value?: boolean;
  readonly struct_value?: WireStruct | null;
}

interface WireVersion {
  readonly major_number: number;
  readonly minor_number: number;
  readonly patch: number;
}

/** The node of a decoded message, without what is not needed of it. `metadataKeys`: what to keep of its metadata. */
export function toNode(node: WireNode, metadataKeys: readonly string[] = []): NodeIdentity {
  const { region, zone, sub_zone } = node.locality ?? { region: '', zone: '', sub_zone: '' };
  return {
    id: cut(node.id, NAME_LENGTH),
    cluster: toLabel(node.cluster),
    locality: toLabel([region, zone, sub_zone].join('/').replace(/\/+$/, '')),
    userAgent: toLabel(node.user_agent_name),
    userAgentVersion: toLabel(toVersion(node)),
    metadata: metadataKeys.length === 0 ? noMetadata : toMetadata(node.metadata, metadataKeys),
  };
}

const noMetadata = {};

/** The strings, numbers and booleans at these dotted keys, as labels. */
function toMetadata(metadata: WireStruct | null, keys: readonly string[]): Record<string, string> {
  const found = keys.flatMap((key) => {
    const value = valueAt(metadata, key.split('.'));
    return value === null ? [] : [[key, toLabel(value)] as const];
  });
  return Object.fromEntries(found);
}

function valueAt(struct: WireStruct | null, [first = '', ...rest]: readonly string[]): string | null {
  const value = struct !== null && Object.hasOwn(struct.fields, first) ? struct.fields[first] : undefined;
  if (rest.length > 0) return value?.struct_value ? valueAt(value.struct_value, rest) : null;
  switch (value?.kind) {
    case 'string_value':
    case 'number_value':
    case 'bool_value':
      return String(value[value.kind]);
    default:
      return null;
  }
}

function toVersion(node: WireNode): string {
  const version = node.user_agent_build_version?.version;
  if (version) return `${version.major_number}.${version.minor_number}.${version.patch}`;
  return node.user_agent_version ?? '';
}

function toErrorDetail({ code, message }: ErrorDetail): ErrorDetail {
  return { code, message: cut(message, MESSAGE_LENGTH) };
}

function cutNames(names: readonly string[]): string[] {
  return names.slice(0, NAMES).map((name) => cut(name, NAME_LENGTH));
}

function toVersions(versions: Readonly<Record<string, string>>): Map<string, string> {
  const entries = Object.entries(versions).slice(0, NAMES);
  return new Map(entries.map(([name, version]) => [cut(name, NAME_LENGTH), cut(version, NAME_LENGTH)]));
}

/** Copies the beginning of `text`: a slice would keep the whole string in memory. */
function cut(text: string, length: number): string {
  return text.length <= length ? text : Buffer.from(text.slice(0, length), 'utf16le').toString('utf16le');
}

/** For display: cut, and without control characters. */
function toLabel(text: string): string {
  // eslint-disable-next-line no-control-regex -- that is what is replaced
  return cut(text, LABEL_LENGTH).replace(/[\x00-\x1f\x7f]/g, '�');
}
