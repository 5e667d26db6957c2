import { ServerInterceptingCall, status, type ServerInterceptor } from '@grpc/grpc-js';
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { XdsLimits } from './limits.ts';
import { UnreadRequests } from './unread-requests.ts';

type Listener = Parameters<ServerInterceptingCall['start']>[0];
type Status = Parameters<ServerInterceptingCall['sendStatus']>[0];

export interface GatedStreamOptions {
  readonly method: Parameters<ServerInterceptor>[0];
  readonly call: Parameters<ServerInterceptor>[1];
  readonly limits: XdsLimits;
  /** When the client's certificate expires, milliseconds since the epoch, or Infinity. */
  readonly expiresAt: number;
  readonly keeper: Keeper;
}

/** Callbacks for all streams. */
export interface Keeper {
  /** The first message has come. */
  readonly onFirstMessage: (stream: GatedStream) => void;
  /** The memory of its unread requests has changed, by this many bytes. */
  readonly onUnread: (by: number) => void;
  /** The stream is being ended, for this reason. */
  readonly onEnd: (stream: GatedStream, reason: string) => void;
  /** The stream is closed. */
  readonly onClose: (stream: GatedStream) => void;
}

/** The longest timer of Node; `xds.max_connection_age` ends the connection earlier. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * One stream, of any service, with time limits: for its first message, for reading what we send, for closing, and until the client's
 * certificate expires. To the handler of the stream, an end looks like a cancellation.
 * It is the call's listener itself, to be cheap: each push and each ACK of 5,000 nodes comes through here.
 */
export class GatedStream extends ServerInterceptingCall implements Listener {
  readonly #call: GatedStreamOptions['call'];
  readonly #method: GatedStreamOptions['method'];
  readonly #limits: XdsLimits;
  readonly #keeper: Keeper;
  readonly #stream: ServerHttp2Stream | null;
  #listener: Listener | null = null;
  #deadline: NodeJS.Timeout | undefined;
  #expiry: NodeJS.Timeout | undefined;
  /** When the last message was sent; on the clock of `performance`. */
  #sentAt = 0;
  #hasMessage = false;
  #isCancelled = false;
  #isOver = false;
  readonly #unread = new UnreadRequests();
  #cost = 0;

  constructor({ method, call, limits, expiresAt, keeper }: GatedStreamOptions) {
    super(call);
    this.#call = call;
    this.#method = method;
    this.#limits = limits;
    this.#keeper = keeper;
    this.#stream = streamOf(call);
    const { firstMessageMs } = limits;
    this.#within(firstMessageMs, () =>
      this.end(status.DEADLINE_EXCEEDED, `it sent nothing for ${firstMessageMs / 1000} s`),
    );
    const expires = expiresAt - Date.now();
    if (expires < MAX_TIMER_MS)
      this.#expiry = setTimeout(() => this.end(status.UNAUTHENTICATED, EXPIRED), expires).unref();
    this.#stream?.once('close', () => this.#close());
    // grpc-js has a listener, too, and pauses and resumes the stream.
    this.#stream?.on('data', (chunk: Buffer) => {
      this.#unread.add(chunk);
      this.#weigh();
    });
  }

  /** Bytes of memory that its unread requests take. */
  get cost(): number {
    return this.#cost;
  }

  /** Resets the stream at once, to free its unread requests. */
  drop(reason: string): void {
    if (!this.#isOver) this.#keeper.onEnd(this, reason);
    this.#isOver = true;
    this.#stream?.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  /** Ends the stream with a gRPC status. */
  end(code: status, details: string): void {
    if (this.#isOver) return;
    this.#keeper.onEnd(this, details);
    this.sendStatus({ code, details });
  }

  override start(listener: Listener): void {
    this.#listener = listener;
    this.#call.start(this);
  }

  onReceiveMetadata(metadata: Parameters<Listener['onReceiveMetadata']>[0]): void {
    this.#listener?.onReceiveMetadata(metadata);
  }

  onReceiveMessage(message: unknown): void {
    if (this.#isCancelled) return;
    if (!this.#hasMessage) this.#onFirstMessage();
    this.#unread.read();
    if (this.#unread.isBetween) forgetLast(this.#call);
    this.#weigh();
    this.#listener?.onReceiveMessage(message);
  }

  onReceiveHalfClose(): void {
    if (this.#isCancelled) return;
    // A unary call keeps its deadline.
    if (this.#method.responseStream) this.#relax();
    this.#listener?.onReceiveHalfClose();
  }

  onCancel(): void {
    this.#isCancelled = true;
    if (this.#stream === null) this.#close();
    this.#listener?.onCancel();
  }

  override sendMessage(message: unknown, callback: () => void): void {
    this.#sentAt = performance.now();
    this.#call.sendMessage(message, callback);
  }

  /**
   * Ends a stream whose client has not read the last message in time: grpc-js sends one only after the one before it has left.
   * The gate calls this for all streams now and then, since a timer for each would be memory and work for each push.
   */
  checkReader(now: number): void {
    if (this.#isOver || !this.#method.responseStream || now - this.#sentAt < this.#limits.unreadMs) return;
    if (this.#stream !== null && this.#stream.writableLength > 0) this.#reset(UNREAD);
  }

  override sendStatus(sent: Status): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#within(this.#limits.closingMs, () => this.#reset(null));
    super.sendStatus(sent);
  }

  #onFirstMessage(): void {
    this.#hasMessage = true;
    this.#keeper.onFirstMessage(this);
    if (this.#method.requestStream) this.#relax();
  }

  #weigh(): void {
    const by = this.#unread.cost - this.#cost;
    this.#cost += by;
    if (by !== 0) this.#keeper.onUnread(by);
  }

  #within(ms: number, late: () => void): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(late, ms).unref();
  }

  /** Nothing is expected from the client now. */
  #relax(): void {
    if (this.#isOver) return;
    clearTimeout(this.#deadline);
    this.#deadline = undefined; // its memory, too: a stream lasts for a day
  }

  #reset(reason: string | null): void {
    if (reason !== null) this.#keeper.onEnd(this, reason);
    this.#isOver = true;
    this.#stream?.close(constants.NGHTTP2_CANCEL);
  }

  #close(): void {
    this.#isOver = true;
    clearTimeout(this.#deadline);
    clearTimeout(this.#expiry);
    this.#keeper.onUnread(-this.#cost);
    this.#cost = 0;
    this.#keeper.onClose(this);
  }
}

export const EXPIRED = "the client's certificate has expired";
const UNREAD = 'it does not read what was sent to it';

/** grpc-js's decoder keeps a request's bytes until the next one begins, which may be a day later. Not public. */
function forgetLast(call: object): void {
  const { decoder } = call as { decoder?: { readPartialMessage?: unknown } };
  if (decoder?.readPartialMessage) decoder.readPartialMessage = [];
}

/** Not public in grpc-js, which can't reset a stream whose client neither reads nor closes it. */
function streamOf(call: object): ServerHttp2Stream | null {
  return 'stream' in call ? (call.stream as ServerHttp2Stream) : null;
}
