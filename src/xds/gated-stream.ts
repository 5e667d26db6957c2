import { ServerInterceptingCall, status, type ServerInterceptor } from '@grpc/grpc-js';
import { constants, type ServerHttp2Stream } from 'node:http2';
import { Backlog } from './backlog.ts';
import type { XdsLimits } from './limits.ts';

type Listener = Parameters<ServerInterceptingCall['start']>[0];
type Status = Parameters<ServerInterceptingCall['sendStatus']>[0];

export interface GatedStreamOptions {
  readonly method: Parameters<ServerInterceptor>[0];
  readonly call: Parameters<ServerInterceptor>[1];
  readonly limits: XdsLimits;
  /** When the client's certificate ends, milliseconds since the epoch, or Infinity. */
  readonly expiresAt: number;
  readonly keeper: Keeper;
}

/** Who is told of each stream: one for all of them. */
export interface Keeper {
  /** The first message is there. */
  readonly onHeard: (stream: GatedStream) => void;
  /** What streams have sent and nobody has read takes more or less memory, by so many bytes. */
  readonly onBacklog: (by: number) => void;
  /** The stream is ended for this reason. */
  readonly onEnd: (stream: GatedStream, reason: string) => void;
  /** The stream is gone. */
  readonly onClose: (stream: GatedStream) => void;
}

/** The longest time that a timer takes; `xds.max_connection_age` ends what lasts longer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * One stream, of whatever service, and its time limits: to say something, to read what we have sent, to close, and to be
 * someone whose certificate holds. Whoever serves the stream hears of an end as of a cancellation.
 * It is the call's listener itself, since each push and each ACK of 5,000 nodes comes through here.
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
  /** The time for what was sent last to be read: begun anew, not made anew, since each push needs it. */
  #reading: NodeJS.Timeout | undefined;
  #isHeard = false;
  #isCancelled = false;
  #isOver = false;
  readonly #backlog = new Backlog();
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
      this.end(status.DEADLINE_EXCEEDED, `it said nothing for ${firstMessageMs / 1000} s`),
    );
    const expires = expiresAt - Date.now();
    if (expires < MAX_TIMER_MS)
      this.#expiry = setTimeout(() => this.end(status.UNAUTHENTICATED, EXPIRED), expires).unref();
    this.#stream?.once('close', () => this.#close());
    // grpc-js reads the stream too, and before: it is paused and resumed there.
    this.#stream?.on('data', (chunk: Buffer) => {
      this.#backlog.add(chunk);
      this.#weigh();
    });
  }

  /** Bytes of memory that what it has sent takes. */
  get cost(): number {
    return this.#cost;
  }

  /** Resets the stream at once: what it has sent is to be forgotten. */
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
    if (!this.#isHeard) this.#hear();
    this.#backlog.read();
    if (this.#backlog.isBetween) forgetLast(this.#call);
    this.#weigh();
    this.#listener?.onReceiveMessage(message);
  }

  onReceiveHalfClose(): void {
    if (this.#isCancelled) return;
    // A call with one answer is to be over in time.
    if (this.#method.responseStream) this.#relax();
    this.#listener?.onReceiveHalfClose();
  }

  onCancel(): void {
    this.#isCancelled = true;
    if (this.#stream === null) this.#close();
    this.#listener?.onCancel();
  }

  override sendMessage(message: unknown, callback: () => void): void {
    if (this.#method.responseStream) this.#awaitReader();
    this.#call.sendMessage(message, callback);
  }

  /** grpc-js sends a message of a stream once the one before has left. */
  #awaitReader(): void {
    const late = (): void => {
      if (this.#stream !== null && this.#stream.writableLength > 0) this.#reset(UNREAD);
    };
    if (this.#reading === undefined) this.#reading = setTimeout(late, this.#limits.unreadMs).unref();
    else this.#reading.refresh();
  }

  override sendStatus(sent: Status): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#within(this.#limits.closingMs, () => this.#reset(null));
    super.sendStatus(sent);
  }

  #hear(): void {
    this.#isHeard = true;
    this.#keeper.onHeard(this);
    if (this.#method.requestStream) this.#relax();
  }

  #weigh(): void {
    const by = this.#backlog.cost - this.#cost;
    this.#cost += by;
    if (by !== 0) this.#keeper.onBacklog(by);
  }

  #within(ms: number, late: () => void): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(late, ms).unref();
  }

  /** Nothing is awaited of the client. */
  #relax(): void {
    if (!this.#isOver) clearTimeout(this.#deadline);
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
    clearTimeout(this.#reading);
    this.#keeper.onBacklog(-this.#cost);
    this.#cost = 0;
    this.#keeper.onClose(this);
  }
}

export const EXPIRED = "the client's certificate has expired";
const UNREAD = 'it does not read what it was sent';

/** grpc-js's decoder keeps the pieces of a request until the next one begins, which may be in a day. Not public. */
function forgetLast(call: object): void {
  const { decoder } = call as { decoder?: { readPartialMessage?: unknown } };
  if (decoder?.readPartialMessage) decoder.readPartialMessage = [];
}

/** Not public in grpc-js, which has no way to be rid of a stream whose client neither reads nor closes. */
function streamOf(call: object): ServerHttp2Stream | null {
  return 'stream' in call ? (call.stream as ServerHttp2Stream) : null;
}
