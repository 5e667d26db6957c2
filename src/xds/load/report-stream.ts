import { status, type ServerDuplexStream } from '@grpc/grpc-js';
import type { Sums } from '../../load/sums.ts';
import { INTERNAL_ERROR, toServiceError } from '../answer.ts';
import { clientOfPeer } from '../client-of.ts';
import { toNode, type WireNode } from '../request.ts';
import { root } from '../protos.ts';
import { findNodeFault } from '../stream/step.ts';
import type { Rejection, StreamLimits } from '../stream/types.ts';
import { decodeReport, ReportFault, unreadable, type ReportLimits } from './decode.ts';

/** Requests are decoded, and responses encoded, by hand. */
export type ReportCall = ServerDuplexStream<Buffer, Buffer>;

export interface ReportStreamOptions {
  readonly call: ReportCall;
  readonly limits: StreamLimits & { readonly report: ReportLimits };
  /** Called once the node is known. Returns a reason to end the stream, or null. */
  readonly admit: (nodeId: string) => Rejection | null;
  /** Called with each report of an admitted node. Returns a reason to end the stream, or null. */
  readonly onReport: (sums: Sums) => Rejection | null;
  /** Called once, however the stream ends. */
  readonly onClose: () => void;
  /** The stream is ended, for this reason. */
  readonly onRefusal: (peer: string, reason: string) => void;
  /** An internal error ended the stream. */
  readonly onFailure: (peer: string, error: unknown) => void;
}

const LoadStatsRequest = root.lookupType('envoy.service.load_stats.v3.LoadStatsRequest');

/** One gRPC stream of LoadReportingService. */
export class ReportStream {
  readonly peer: string;
  /** See Session. */
  readonly client: string | null;
  /** Null until the node is admitted. */
  nodeId: string | null = null;
  readonly #options: ReportStreamOptions;
  #isWriting = false;
  /** What is to be sent once the last response has left. */
  #due: Buffer | null = null;
  #isOver = false;

  constructor(options: ReportStreamOptions) {
    const { call } = options;
    this.#options = options;
    this.peer = call.getPeer();
    this.client = clientOfPeer(this.peer, call.getAuthContext().sslPeerCertificate?.fingerprint256);
    call.on('data', (bytes: Buffer) => this.#guard(() => this.#onMessage(bytes)));
    call.on('end', () => this.#guard(() => this.#onHalfClose()));
    call.on('cancelled', () => this.#guard(() => this.#close()));
  }

  /**
   * Sends a response. Of several that the client does not read only the newest is kept, and nothing more is read of it meanwhile.
   */
  send(response: Buffer): void {
    if (this.#isOver) return;
    if (this.#isWriting) {
      this.#due = response;
      return;
    }
    this.#isWriting = true;
    this.#options.call.pause();
    this.#options.call.write(response, () => this.#guard(() => this.#onWritten()));
  }

  /** Ends the stream with a gRPC status. */
  end(code: status, message: string): void {
    this.#close();
    this.#options.call.emit('error', toServiceError(code, message));
  }

  #onMessage(bytes: Buffer): void {
    if (this.#isOver) return;
    const rejection = this.#read(bytes);
    if (rejection === null) return;
    this.#options.onRefusal(this.peer, rejection.message);
    this.end(status[rejection.code], rejection.message);
  }

  #read(bytes: Buffer): Rejection | null {
    const { limits, onReport } = this.#options;
    try {
      const sums = decodeReport(bytes, limits.report);
      const refused = this.nodeId === null ? this.#readNode(bytes) : null;
      return refused ?? onReport(sums);
    } catch (error) {
      if (!(error instanceof ReportFault)) throw error;
      return error;
    }
  }

  /** The node of the first message; that of others is ignored. */
  #readNode(bytes: Buffer): Rejection | null {
    const node = decodeNode(bytes);
    const fault = findNodeFault(node, this.#options.limits);
    if (node === null || fault !== null) return fault;
    const refused = this.#options.admit(node.id);
    if (refused === null) this.nodeId = node.id;
    return refused;
  }

  #onWritten(): void {
    this.#isWriting = false;
    const due = this.#due;
    this.#due = null;
    if (due !== null) this.send(due);
    else this.#options.call.resume();
  }

  #onHalfClose(): void {
    this.#close();
    this.#options.call.end();
  }

  #close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.onClose();
  }

  /** An error thrown into grpc-js would be uncaught. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#options.onFailure(this.peer, error);
      try {
        this.end(status.INTERNAL, INTERNAL_ERROR);
      } catch {
        // The first error was reported.
      }
    }
  }
}

function decodeNode(bytes: Buffer) {
  try {
    const { node } = LoadStatsRequest.decode(bytes) as unknown as { node: WireNode | null };
    return node === null ? null : toNode(node);
  } catch {
    throw unreadable();
  }
}
