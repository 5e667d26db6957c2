import { status, type ServerDuplexStream } from '@grpc/grpc-js';
import type { SessionId, Version } from '../ids.ts';
import { INTERNAL_ERROR, toServiceError } from './answer.ts';
import { absenceOf, messageOf } from './push.ts';
import type { Doubt } from './doubts.ts';
import { createStream, findNodeFault, isMember, isUnanswered, namesOf, step, type StreamState } from './stream/step.ts';
import type {
  Dialect,
  ErrorDetail,
  NodeIdentity,
  Rejection,
  Request,
  StreamAction,
  StreamEvent,
  StreamLimits,
  Target,
} from './stream/types.ts';
import { clientOfPeer } from './client-of.ts';

/** The public view of an xDS client's gRPC stream. */
export interface Session {
  /** Unique in this process. */
  readonly id: SessionId;
  /** Null until the first message. */
  readonly node: NodeIdentity | null;
  /** `address:port`, or `unknown` for a Unix socket. */
  readonly peer: string;
  /** Identifies the client: its certificate, else its address. Null: a Unix socket. */
  readonly client: string | null;
  /** Milliseconds since the epoch. */
  readonly connectedSince: number;
  readonly dialect: Dialect;
  /** Aggregated (ADS). */
  readonly aggregated: boolean;
  /** Resource names subscribed to. */
  readonly resources: readonly string[];
  /** Types asked for that are not served, up to a limit. */
  readonly otherTypes: readonly string[];
  /** Subscribed to the configured resource: a member of the fleet. */
  readonly member: boolean;
  readonly last: LastPush;
}

/** The configured resource: what was pushed last, what the client accepted last, and its refusal of the last push. */
export interface LastPush {
  readonly sent: VersionAt | null;
  readonly acked: VersionAt | null;
  readonly refused: (VersionAt & ErrorDetail) | null;
}

export interface VersionAt {
  readonly version: Version;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export type XdsCall = ServerDuplexStream<Request, Buffer>;

export interface SessionOptions {
  readonly id: SessionId;
  readonly call: XdsCall;
  readonly dialect: Dialect;
  readonly aggregated: boolean;
  readonly target: Target;
  readonly host: SessionHost;
}

/** What all sessions share. */
export interface SessionHost {
  readonly resource: string;
  readonly limits: StreamLimits;
  /** Called once the node is known. Returns a reason to end the stream, or null. */
  readonly admit: (session: StreamSession, call: XdsCall, node: NodeIdentity) => Rejection | null;
  /** Whether the version that this node claims can be trusted. */
  readonly isTrusted: (nodeId: string) => boolean;
  /** Every action, in order, after it was carried out. Must not call back into the session. */
  readonly onAction: (session: StreamSession, action: StreamAction) => void;
  /** An internal error ended the stream. */
  readonly onFailure: (peer: string, error: unknown) => void;
}

/** Runs the pure step on one gRPC call. */
export class StreamSession implements Session {
  readonly id: SessionId;
  readonly peer: string;
  readonly client: string | null;
  readonly connectedSince = Date.now();
  readonly dialect: Dialect;
  readonly aggregated: boolean;
  readonly last: { -readonly [Key in keyof LastPush]: LastPush[Key] } = { sent: null, acked: null, refused: null };
  /** Shared by the node's streams; null until it is admitted. */
  doubt: Doubt | null = null;
  readonly #call: XdsCall;
  readonly #state: StreamState;
  readonly #host: SessionHost;
  /** Our messages that have not left yet. */
  #writing = 0;
  readonly #written = (): void => this.#guard(() => this.#onWritten());
  /** A request that arrived before they had. */
  #held: Request | null = null;

  constructor(options: SessionOptions) {
    const { call, host } = options;
    this.id = options.id;
    this.peer = call.getPeer();
    this.client = clientOfPeer(this.peer, call.getAuthContext().sslPeerCertificate?.fingerprint256);
    this.dialect = options.dialect;
    this.aggregated = options.aggregated;
    this.#call = call;
    this.#host = host;
    this.#state = createStream({ ...options, ...host });
    call.on('data', (request: Request) => this.#guard(() => this.#onRequest(request)));
    call.on('end', () => this.#guard(() => this.#onHalfClose()));
    call.on('cancelled', () => this.#guard(() => this.#step({ type: 'end' })));
  }

  get node(): NodeIdentity | null {
    return this.#state.node;
  }

  get resources(): readonly string[] {
    return namesOf(this.#state);
  }

  get otherTypes(): readonly string[] {
    return this.#state.unsupported;
  }

  get member(): boolean {
    return isMember(this.#state);
  }

  /** A response is unanswered. */
  get unanswered(): boolean {
    return isUnanswered(this.#state);
  }

  /** The fleet's target has moved. */
  offer(target: Target): void {
    this.#guard(() => this.#step({ type: 'offer', target }));
  }

  /** Ends the stream for a reason outside of the protocol, and reports it like one of the protocol. */
  #reject(rejection: Rejection): void {
    this.close(status[rejection.code], rejection.message);
    this.#host.onAction(this, { type: 'reject', ...rejection });
  }

  /** Ends the stream with a gRPC status. */
  close(code: status, message: string): void {
    try {
      this.#step({ type: 'end' });
    } finally {
      this.#call.emit('error', toServiceError(code, message));
    }
  }

  /** An internal error ends this stream, not the process. */
  fail(error: unknown): void {
    this.#host.onFailure(this.peer, error);
    try {
      this.close(status.INTERNAL, INTERNAL_ERROR);
    } catch {
      // The first error was reported.
    }
  }

  /** An error thrown into grpc-js would be uncaught. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.fail(error);
    }
  }

  /**
   * Reads no further while a message of ours has not left, so a client that does not read costs one message and one request at most.
   */
  #onRequest(request: Request): void {
    if (this.#writing === 0) return this.#read(request);
    this.#held = request;
    this.#call.pause();
  }

  #read(request: Request): void {
    const { node } = request;
    const isFirst = this.#state.node === null && node !== null && findNodeFault(node, this.#host.limits) === null;
    const refused = isFirst ? this.#host.admit(this, this.#call, node) : null;
    if (refused !== null) this.#reject(refused);
    else this.#step({ type: 'request', request, trusted: isFirst && this.#host.isTrusted(node.id) });
  }

  #onHalfClose(): void {
    this.#step({ type: 'end' });
    this.#call.end();
  }

  #step(event: StreamEvent): void {
    for (const action of step(this.#state, event)) {
      this.#perform(action);
      this.#host.onAction(this, action);
    }
  }

  #perform(action: StreamAction): void {
    switch (action.type) {
      case 'send':
        this.last.sent = now(action.target);
        return this.#write(messageOf(action.target, action.typeUrl, this.dialect));
      case 'send_absent':
        return this.#write(absenceOf(action.target, { ...action, dialect: this.dialect }));
      case 'kept':
      case 'acked':
        if (action.type === 'kept') this.last.sent = now(action.target);
        this.last.acked = now(action.target);
        this.last.refused = null;
        return;
      case 'nacked':
        this.last.refused = { ...action.error, ...now(action.target) };
        return;
      case 'reject':
        return this.close(status[action.code], action.message);
      default:
        return;
    }
  }

  #write(frame: Buffer): void {
    this.#writing += 1;
    this.#call.write(frame, this.#written);
  }

  #onWritten(): void {
    this.#writing -= 1;
    if (this.#writing > 0) return;
    const request = this.#held;
    this.#held = null;
    if (request !== null) this.#read(request);
    if (this.#writing === 0) this.#call.resume();
  }
}

const now = ({ version }: Target): VersionAt => ({ version, at: Date.now() });
