import { defaultStreamLimits, type StreamLimits } from './stream/types.ts';

/** The xDS port (docs/xds.md explains each). */
export interface XdsSettings {
  /** An IP address, or `unix:` and a path. */
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
  /** The name of the RTDS resource that the config defines. */
  readonly resource: string;
  readonly limits: XdsLimits;
  readonly keepalive: KeepaliveSettings;
}

/** An idle connection is pinged every `intervalMs`, and dropped when the answer takes longer than `timeoutMs`. */
export interface KeepaliveSettings {
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

export interface XdsLimits extends StreamLimits {
  /** xDS streams at one time. */
  readonly streams: number;
  /** Concurrent streams of one connection, of all services. */
  readonly connectionStreams: number;
  /** Bytes of one request. Node metadata counts, and is not kept. */
  readonly requestBytes: number;
}

/** A server that a stock Envoy on the network can use. */
export const defaultXdsSettings: XdsSettings = {
  address: '0.0.0.0',
  port: 18000,
  resource: 'runtime',
  limits: { ...defaultStreamLimits, streams: 10_000, connectionStreams: 1_000, requestBytes: 1024 * 1024 },
  keepalive: { intervalMs: 10_000, timeoutMs: 10_000 },
};
