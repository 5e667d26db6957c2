/**
 * What goes into and comes out of the step of one xDS stream: plain data, no sockets, no clock.
 * The rules are those of https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol.
 */

/** SotW sends the whole set of resource names each time, delta only what changes. */
export type Dialect = 'sotw' | 'delta';

/** One resource, as the bytes of a google.protobuf.Any. */
export interface Resource {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What the fleet shall have. `seq` counts offers, so that one version can be offered again; it makes the nonce. */
export interface Target {
  readonly seq: number;
  /** A commit's SHA, or NO_RELEASE. */
  readonly version: string;
  /** By type URL. */
  readonly resources: ReadonlyMap<string, readonly Resource[]>;
  /** Not to be sent: what the fleet shall have is being looked for. */
  readonly withheld?: true;
}

/** The version of the empty layer that nodes get while there is no release. */
export const NO_RELEASE = 'none';

/** An xDS client, as the first message of its stream describes it. All but `id` may be empty. */
export interface NodeIdentity {
  readonly id: string;
  readonly cluster: string;
  /** `region/zone/sub_zone`, as far as given. */
  readonly locality: string;
  readonly userAgent: string;
  readonly userAgentVersion: string;
}

/** A google.rpc.Status, its message cut at 4 KiB. */
export interface ErrorDetail {
  readonly code: number;
  readonly message: string;
}

/** A DiscoveryRequest or a DeltaDiscoveryRequest. */
export interface Request {
  /** Empty on the per-type services where the method says it. */
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
  /** `trusted`: the node is known to have refused nothing since it took what it says to have. */
  | { readonly type: 'request'; readonly request: Request; readonly trusted?: boolean }
  /** The fleet's target has moved. */
  | { readonly type: 'offer'; readonly target: Target }
  | { readonly type: 'end' };

/** What a step wants done, in order. Logs, metrics and the rollout live from these alone. */
export type StreamAction =
  /** The resources of this type, as the target has them. */
  | { readonly type: 'send'; readonly typeUrl: string; readonly nonce: string; readonly target: Target }
  /** Another name that was asked for, which the config does not define: an empty Runtime, or removed_resources. */
  | {
      readonly type: 'send_absent';
      readonly typeUrl: string;
      readonly nonce: string;
      readonly target: Target;
      readonly name: string;
    }
  /** The stream subscribes to the configured resource. `claims`: the version that the node says it has. */
  | { readonly type: 'joined'; readonly claims: string | null }
  /** It has the target already, and nothing is sent. */
  | { readonly type: 'kept'; readonly target: Target }
  | { readonly type: 'left' }
  | { readonly type: 'acked'; readonly target: Target }
  | { readonly type: 'nacked'; readonly target: Target; readonly error: ErrorDetail }
  /** A NACK of another name: the node's layer is poisoned by something else. */
  | { readonly type: 'absent_nacked'; readonly name: string; readonly error: ErrorDetail }
  | { readonly type: 'stale'; readonly nonce: string }
  /** A type that is not served, said once for each. */
  | { readonly type: 'unsupported'; readonly typeUrl: string }
  /** End the stream with this gRPC status. */
  | {
      readonly type: 'reject';
      readonly code: 'INVALID_ARGUMENT' | 'RESOURCE_EXHAUSTED' | 'PERMISSION_DENIED';
      readonly message: string;
    };

/** Bounds on what one client can make us remember. */
export interface StreamLimits {
  /** Names subscribed by one stream. */
  readonly names: number;
  /** UTF-8 bytes of one name, of node.id and of a type URL. */
  readonly nameBytes: number;
  /** Types asked for that are not served, as far as they are remembered. */
  readonly types: number;
}

export const defaultStreamLimits: StreamLimits = { names: 100, nameBytes: 256, types: 32 };

/** What is known of one stream's subscription to one type. Updated in place: a copy for each ACK of 5,000 nodes is too dear. */
export interface Subscription {
  readonly typeUrl: string;
  /** The name that the config defines. */
  readonly resource: string;
  target: Target;
  /** Names subscribed to; `*` is the wildcard. */
  readonly names: Set<string>;
  /** Some request has named a name: from then on an empty SotW list means none, no longer all. */
  named: boolean;
  /** The first request has been read. */
  asked: boolean;
  /** The version that the node said to have in its first request, or null. */
  claims: string | null;
  /** Of the last response; empty before the first. */
  nonce: string;
  /** The response whose answer is awaited: null in `name` is the configured resource. */
  unanswered: { readonly name: string | null; readonly target: Target } | null;
  /** The last push of the configured resource, or null: none, or none since it was subscribed to. */
  sent: { readonly target: Target; refused: boolean } | null;
  /** The client asked for the configured resource once more. */
  again: boolean;
  /** Other names, and how far each has come. */
  readonly absent: Map<string, 'owed' | 'sent' | 'refused'>;
}
