import { FRAME_HEAD_BYTES } from './push.ts';

/** Memory that a queued request costs besides its bytes, roughly. */
const REQUEST_BYTES = 1_500;

/** Measures the requests of one stream that were received and not read, by parsing its frames: grpc-js queues them without a limit. */
export class UnreadRequests {
  /** Bytes of the incomplete request. */
  #unfinished = 0;
  /** Complete requests that were not read, and their bytes. */
  #queued = 0;
  #queuedBytes = 0;
  /** Bytes of the current frame's head that were received, and the length that they encode so far. */
  #headBytes = 0;
  #length = 0;
  /** Bytes that the incomplete request still lacks. */
  #missing = 0;

  /** Call it with all that the stream receives. */
  add(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) at = this.#missing > 0 ? this.#body(chunk, at) : this.#takeHead(chunk, at);
  }

  /** Call it when a request was read. */
  read(): void {
    this.#queued = Math.max(0, this.#queued - 1);
    if (this.#queued === 0) this.#queuedBytes = 0;
  }

  /** There is no incomplete request. */
  get isBetween(): boolean {
    return this.#missing === 0 && this.#headBytes === 0;
  }

  /** Bytes of memory, roughly. */
  get cost(): number {
    return this.#unfinished + this.#queuedBytes + this.#queued * REQUEST_BYTES;
  }

  #takeHead(chunk: Uint8Array, at: number): number {
    // The first byte is a flag, not part of the length.
    this.#length = this.#headBytes === 0 ? 0 : this.#length * 256 + (chunk[at] ?? 0);
    this.#headBytes += 1;
    if (this.#headBytes < FRAME_HEAD_BYTES) return at + 1;
    this.#headBytes = 0;
    this.#missing = this.#length;
    if (this.#missing === 0) this.#complete();
    return at + 1;
  }

  #body(chunk: Uint8Array, at: number): number {
    const taken = Math.min(this.#missing, chunk.length - at);
    this.#missing -= taken;
    this.#unfinished += taken;
    if (this.#missing === 0) this.#complete();
    return at + taken;
  }

  #complete(): void {
    this.#queued += 1;
    this.#queuedBytes += this.#unfinished;
    this.#unfinished = 0;
  }
}
