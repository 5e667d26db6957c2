import { status, type Server } from '@grpc/grpc-js';
import protobuf from 'protobufjs/minimal.js';
import type { Sums } from '../../load/sums.ts';
import { SHUTTING_DOWN } from '../answer.ts';
import { serviceWith } from '../protos.ts';
import type { Rejection, StreamLimits } from '../stream/types.ts';
import type { XdsLimits } from '../limits.ts';
import { ReportStream, type ReportCall } from './report-stream.ts';

/** What is done with the reports: `Load`. */
export interface LoadSink {
  /** A stream of this node began to count. */
  open(node: string): void;
  /** It counts no longer. */
  close(node: string): void;
  add(node: string, sums: Sums): void;
}

export interface LoadReportsOptions {
  readonly limits: Pick<XdsLimits, keyof StreamLimits | 'report' | 'reportsPerSecond'>;
  readonly sink: LoadSink;
  /** Why this node's stream is not taken, while there are so many; or null. */
  readonly refuse: (call: ReportCall, nodeId: string, streams: number) => Rejection | null;
  /** Whose reports about this node these are: its own, another client's, or of a node that has no xDS stream. */
  readonly ownerOf: (nodeId: string, client: string | null) => 'node' | 'stranger' | 'nobody';
  readonly isDraining: () => boolean;
  readonly onRefusal: (peer: string, reason: string) => void;
  readonly onFailure: (peer: string, error: unknown) => void;
}

/** How often nodes report, until it is set. */
const DEFAULT_INTERVAL_MS = 10_000;

export const LRS = 'envoy.service.load_stats.v3.LoadReportingService';

/** The Load Reporting Service: asks each node for the requests of all of its clusters, and passes the sums on. */
export class LoadReports {
  readonly #options: LoadReportsOptions;
  /** With an authorized node. */
  readonly #streams = new Set<ReportStream>();
  #intervalMs = DEFAULT_INTERVAL_MS;

  constructor(options: LoadReportsOptions) {
    this.#options = options;
  }

  addTo(server: Server): void {
    const definition = serviceWith(LRS, () => ({ requestDeserialize: identity, responseSerialize: identity }));
    server.addService(definition, { StreamLoadStats: (call: ReportCall) => this.#accept(call) });
  }

  /** Open streams that have named their node. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Each response restarts an Envoy's timer, so one is sent only if it says something new. */
  setInterval(ms: number): void {
    if (ms === this.#intervalMs) return;
    this.#intervalMs = ms;
    const response = this.#toResponse();
    for (const stream of this.#streams) stream.send(response);
  }

  /** Many nodes are asked less often. A stream keeps its interval when others come, until another is set. */
  #toResponse(): Buffer {
    const { reportsPerSecond } = this.#options.limits;
    return encodeResponse(Math.max(this.#intervalMs, Math.ceil((this.#streams.size * 1_000) / reportsPerSecond)));
  }

  #accept(call: ReportCall): void {
    const { limits, sink, ownerOf, isDraining, onRefusal, onFailure } = this.#options;
    let counted: string | null = null;
    const count = (nodeId: string | null): void => {
      if (nodeId === counted) return;
      if (counted !== null) sink.close(counted);
      if (nodeId !== null) sink.open(nodeId);
      counted = nodeId;
    };
    const stream: ReportStream = new ReportStream({
      call,
      limits,
      onRefusal,
      onFailure,
      admit: (nodeId) => this.#admit(stream, call, nodeId),
      onReport: (sums) => {
        const { nodeId, client } = stream;
        if (nodeId === null) return null;
        const owner = ownerOf(nodeId, client);
        count(owner === 'node' ? nodeId : null);
        if (owner === 'node') sink.add(nodeId, sums);
        return owner === 'stranger' ? toStranger(nodeId) : null;
      },
      onClose: () => {
        this.#streams.delete(stream);
        count(null);
      },
    });
    if (isDraining()) stream.end(status.UNAVAILABLE, SHUTTING_DOWN);
  }

  #admit(stream: ReportStream, call: ReportCall, nodeId: string): Rejection | null {
    const refused = this.#options.refuse(call, nodeId, this.#streams.size);
    if (refused !== null) return refused;
    this.#streams.add(stream);
    stream.send(this.#toResponse());
    return null;
  }
}

function toStranger(nodeId: string): Rejection {
  return {
    code: 'PERMISSION_DENIED',
    message: `the load of node.id ${nodeId} is reported by another client than the one of its xDS stream`,
  };
}

/** LoadStatsResponse: load_reporting_interval 2 (a Duration: seconds 1, nanos 2), send_all_clusters 4. */
function encodeResponse(ms: number): Buffer {
  const writer = protobuf.Writer.create();
  writer.uint32(18).fork();
  writer.uint32(8).int64(Math.floor(ms / 1_000));
  writer.uint32(16).int32((ms % 1_000) * 1_000_000);
  return Buffer.from(writer.ldelim().uint32(32).bool(true).finish());
}

const identity = (bytes: Buffer): Buffer => bytes;
