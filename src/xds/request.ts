import { root } from './protos.ts';
import type { Dialect, ErrorDetail, NodeIdentity, Request } from './stream/types.ts';

/** Longest error_detail.message that is kept, in UTF-16 code units: Envoy's can quote the whole resource. */
const MESSAGE_LENGTH = 4096;
/** Longest cluster, locality and user agent that are kept for display. */
const LABEL_LENGTH = 256;

const types = {
  sotw: root.lookupType('envoy.service.discovery.v3.DiscoveryRequest'),
  delta: root.lookupType('envoy.service.discovery.v3.DeltaDiscoveryRequest'),
};

/** The bytes of a DiscoveryRequest or DeltaDiscoveryRequest as the stream's step reads it. Throws on bytes that are none. */
export function decodeRequest(dialect: Dialect, bytes: Uint8Array): Request {
  const message = types[dialect].decode(bytes) as unknown as WireRequest;
  return {
    typeUrl: message.type_url,
    node: message.node === null ? null : toNode(message.node),
    nonce: message.response_nonce,
    error: message.error_detail === null ? null : toErrorDetail(message.error_detail),
    body:
      dialect === 'sotw'
        ? { dialect, names: message.resource_names, version: message.version_info }
        : {
            dialect,
            subscribe: message.resource_names_subscribe,
            unsubscribe: message.resource_names_unsubscribe,
            initialVersions: new Map(Object.entries(message.initial_resource_versions)),
          },
  };
}

/** Both messages, as protobufjs decodes them: absent messages are null, absent scalars their defaults. */
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

interface WireNode {
  readonly id: string;
  readonly cluster: string;
  readonly locality: { readonly region: string; readonly zone: string; readonly sub_zone: string } | null;
  readonly user_agent_name: string;
  readonly user_agent_version: string | null;
  readonly user_agent_build_version: { readonly version: WireVersion | null } | null;
}

interface WireVersion {
  readonly major_number: number;
  readonly minor_number: number;
  readonly patch: number;
}

function toNode(node: WireNode): NodeIdentity {
  const { region, zone, sub_zone } = node.locality ?? { region: '', zone: '', sub_zone: '' };
  return {
    id: node.id,
    cluster: toLabel(node.cluster),
    locality: toLabel([region, zone, sub_zone].join('/').replace(/\/+$/, '')),
    userAgent: toLabel(node.user_agent_name),
    userAgentVersion: toLabel(toVersion(node)),
  };
}

function toVersion(node: WireNode): string {
  const version = node.user_agent_build_version?.version;
  if (version) return `${version.major_number}.${version.minor_number}.${version.patch}`;
  return node.user_agent_version ?? '';
}

function toErrorDetail({ code, message }: ErrorDetail): ErrorDetail {
  return { code, message: message.slice(0, MESSAGE_LENGTH) };
}

/** For display only: cut, and without control characters. */
function toLabel(text: string): string {
  // eslint-disable-next-line no-control-regex -- that is what is replaced
  return text.slice(0, LABEL_LENGTH).replace(/[\x00-\x1f\x7f]/g, '�');
}
