/**
 * Input and output of the step of an xDS stream: plain data, no sockets, no clock.
 * The rules are those of https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol.
 */

import type { Version } from '../../ids.ts';

/** With SotW each request lists all resource names, with delta only the changes. */
export type Dialect = 'sotw' | 'delta';

/** One resource, as the bytes of a google.protobuf.Any. */
export interface Resource {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What the fleet should have. `seq` counts offers, so that a version can be offered again; the nonce is made of it. */
export interface Target {
  readonly seq: number;
  /** A commit's SHA, a stage of it, or NO_RELEASE. */
  readonly version: Version;
  /** By type URL. */
  readonly resources: ReadonlyMap<string, readonly Resource[]>;
  /** Nothing is sent while a release is being looked for. */
  readonly withheld?: true;
}

/** The version of the empty layer, which nodes get while there is no release. */
export const NO_RELEASE = 'none' as Version;

/** An xDS client, as described in the first message of its stream. All but `id` may be empty. */
export interface NodeIdentity {
  readonly id: string;
  readonly cluster: string;
  /** `region/zone/sub_zone`, or less. */
  readonly locality: string;
  readonly userAgent: string;
  readonly userAgentVersion: string;
  /** The values of node.metadata that were asked for (`XdsServerOptions.metadataKeys`), by dotted key. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** A google.rpc.Status, its message cut at 4 KiB. */
export interface ErrorDetail {
  readonly code: number;
  readonly message: string;
}

/** A DiscoveryRequest or a DeltaDiscoveryRequest. */
export interface Request {
  /** May be empty on the per-type services. */
  readonly typeUrl: string;
  readonly node: NodeIdentity | null;
  /** response_nonce. */
  readonly nonce: string;
  /** error_detail: present in a NACK. */
  readonly error: ErrorDetail | null;
  readonly body: SotwBody | DeltaBody;
}

export interface SotwBody {
  readonly dialect: 'sotw';
  readonly names: readonly string[];
  readonly version: string;
}

export interface DeltaBody {
  readonly dialect: 'delta';
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  readonly initialVersions: ReadonlyMap<string, string>;
}

export type StreamEvent =
  /** `trusted`: the node is known to have refused nothing since it accepted the version that it claims. */
  | { readonly type: 'request'; readonly request: Request; readonly trusted?: boolean }
  /** The fleet's target has changed. */
  | { readonly type: 'offer'; readonly target: Target }
  | { readonly type: 'end' };

/** What the caller has to do. Logs, metrics and the rollout are based on these alone. */
export type StreamAction =
  /** Send the target's resources of this type. */
  | { readonly type: 'send'; readonly typeUrl: string; readonly nonce: string; readonly target: Target }
  /** Answer for another name, which does not exist: an empty Runtime, or removed_resources. */
  | {
      readonly type: 'send_absent';
      readonly typeUrl: string;
      readonly nonce: string;
      readonly target: Target;
      readonly name: string;
    }
  /** The stream has subscribed to the configured resource. `claims`: the version that the node claims to have. */
  | { readonly type: 'joined'; readonly claims: string | null }
  /** It has the target already: nothing is sent. */
  | { readonly type: 'kept'; readonly target: Target }
  | { readonly type: 'left' }
  | { readonly type: 'acked'; readonly target: Target }
  | { readonly type: 'nacked'; readonly target: Target; readonly error: ErrorDetail }
  /** A NACK of another name. */
  | { readonly type: 'absent_nacked'; readonly name: string; readonly error: ErrorDetail }
  | { readonly type: 'stale'; readonly nonce: string }
  /** A type that is not served; once for each. */
  | { readonly type: 'unsupported'; readonly typeUrl: string }
  /** End the stream with this gRPC status. */
  | ({ readonly type: 'reject' } & Rejection);

/** Why a client's stream is ended. */
export interface Rejection {
  readonly code: 'INVALID_ARGUMENT' | 'RESOURCE_EXHAUSTED' | 'PERMISSION_DENIED';
  readonly message: string;
}

/** Limits on what one client can make us remember. */
export interface StreamLimits {
  /** Names subscribed by one stream. */
  readonly names: number;
  /** UTF-8 bytes of one name, of node.id and of a type URL. */
  readonly nameBytes: number;
  /** Types that are not served and were asked for. */
  readonly types: number;
}

export const defaultStreamLimits: StreamLimits = { names: 100, nameBytes: 256, types: 32 };

/** A stream's subscription to one type. Updated in place: a copy for each ACK of 5,000 nodes would be too slow. */
export interface Subscription {
  readonly typeUrl: string;
  /** The name of the configured resource. */
  readonly resource: string;
  target: Target;
  /** Names subscribed to; `*` is the wildcard. */
  readonly names: Set<string>;
  /** Some request had a name: from then on an empty SotW list means none, and not all. */
  named: boolean;
  /** The first request was read. */
  asked: boolean;
  /** The version that the node claimed to have in its first request, or null. */
  claims: string | null;
  /** Of the last response; empty before the first. */
  nonce: string;
  /** The unanswered response. `name`: null for the configured resource. */
  unanswered: { readonly name: string | null; readonly target: Target } | null;
  /** The last push of the configured resource since it was subscribed to, or null. */
  sent: { readonly target: Target; refused: boolean } | null;
  /** The client asked for the configured resource again. */
  again: boolean;
  /** Other names, which don't exist, and whether the client was told. Null: none, as on nearly every stream. */
  absent: Map<string, 'owed' | 'sent' | 'refused'> | null;
}
