import { defaultReportLimits, type ReportLimits } from './load/decode.ts';
import { defaultStreamLimits, type StreamLimits } from './stream/types.ts';

/** Limits of the xDS port that are not settings (docs/xds.md, "Limits"). */
export interface XdsLimits extends StreamLimits {
  /** Concurrent streams of one connection, of all services. */
  readonly connectionStreams: number;
  /** Bytes of one request. Node metadata counts, but is not kept. */
  readonly requestBytes: number;
  /** Streams of the whole port that have sent nothing yet; with more, the oldest is ended. */
  readonly waiting: number;
  /** Bytes of incomplete or unread requests of all streams: room for 5,000 Envoys that connect at once. */
  readonly unreadBytes: number;
  /** How long a stream may send nothing; a unary call has to end by then. */
  readonly firstMessageMs: number;
  /** How long a message that we send may stay unread. */
  readonly unreadMs: number;
  /** How long a stream that was ended may stay open on the client's side. */
  readonly closingMs: number;
  /** Calls of reflection, CSDS and health watch at once, of one client and in all. */
  readonly operatorCalls: { readonly client: number; readonly all: number };
  /** Of a load report. */
  readonly report: ReportLimits;
  /** How many load reports are asked for in a second, of all nodes together: 60 MB, since an Envoy puts its whole node into each. */
  readonly reportsPerSecond: number;
}

/** Room for Envoy's node with all of its extensions (50 KB) many times over. */
export const defaultXdsLimits: XdsLimits = {
  ...defaultStreamLimits,
  connectionStreams: 1_000,
  requestBytes: 1024 * 1024,
  waiting: 1_000,
  unreadBytes: 256 * 1024 * 1024,
  firstMessageMs: 10_000,
  unreadMs: 300_000,
  closingMs: 10_000,
  operatorCalls: { client: 20, all: 100 },
  report: defaultReportLimits,
  reportsPerSecond: 1_000,
};
