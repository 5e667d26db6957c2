import { defaultStreamLimits, type StreamLimits } from './stream/types.ts';

/** Bounds of the xDS port that are not settings (docs/xds.md, "Limits"). */
export interface XdsLimits extends StreamLimits {
  /** Concurrent streams of one connection, of all services. */
  readonly connectionStreams: number;
  /** Bytes of one request. Node metadata counts, and is not kept. */
  readonly requestBytes: number;
  /** Streams of the whole port that have said nothing yet: over it the oldest is ended. */
  readonly waiting: number;
  /** Bytes of requests of all streams that are not complete or not read: room for 5,000 Envoys that connect at once. */
  readonly backlogBytes: number;
  /** How long a stream may say nothing; a call with one answer is to be over by then. */
  readonly firstMessageMs: number;
  /** How long a message of ours may wait for its reader. */
  readonly unreadMs: number;
  /** How long a stream that was ended may stay open on the client's side. */
  readonly closingMs: number;
  /** Calls of reflection, CSDS and health watch at once, of one client and in all. */
  readonly operatorCalls: { readonly client: number; readonly all: number };
}

/** Room for Envoy's node with all of its extensions (50 KB) many times over. */
export const defaultXdsLimits: XdsLimits = {
  ...defaultStreamLimits,
  connectionStreams: 1_000,
  requestBytes: 1024 * 1024,
  waiting: 1_000,
  backlogBytes: 256 * 1024 * 1024,
  firstMessageMs: 10_000,
  unreadMs: 300_000,
  closingMs: 10_000,
  operatorCalls: { client: 20, all: 100 },
};
