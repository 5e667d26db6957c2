import { defaultStreamLimits, type StreamLimits } from './stream/types.ts';

/** Bounds of the xDS port that are not settings (docs/xds.md, "Limits"). */
export interface XdsLimits extends StreamLimits {
  /** Concurrent streams of one connection, of all services. */
  readonly connectionStreams: number;
  /** Bytes of one request. Node metadata counts, and is not kept. */
  readonly requestBytes: number;
}

/** Room for Envoy's node with all of its extensions (50 KB) many times over. */
export const defaultXdsLimits: XdsLimits = {
  ...defaultStreamLimits,
  connectionStreams: 1_000,
  requestBytes: 1024 * 1024,
};
