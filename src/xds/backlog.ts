/** What a queued request costs beside its bytes, about: small ones cost more than they are long. */
const REQUEST_BYTES = 1_500;
/** A flag and the length: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
const HEAD_BYTES = 5;

/** What a client has sent and nobody has read: of one stream, by its bytes. grpc-js gathers them, and does not tell. */
export class Backlog {
  /** Bytes of the request that is not complete. */
  #unfinished = 0;
  /** Complete requests that are not read, and the bytes of all of them. */
  #queued = 0;
  #queuedBytes = 0;
  /** Bytes of the head in hand that have come, and the length that they say so far. */
  #headBytes = 0;
  #length = 0;
  /** Bytes that the request in hand still lacks. */
  #missing = 0;

  /** More has come. */
  add(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) at = this.#missing > 0 ? this.#body(chunk, at) : this.#takeHead(chunk, at);
  }

  /** One request was read. */
  read(): void {
    this.#queued = Math.max(0, this.#queued - 1);
    if (this.#queued === 0) this.#queuedBytes = 0;
  }

  /** No request has begun that is not complete. */
  get isBetween(): boolean {
    return this.#missing === 0 && this.#headBytes === 0;
  }

  /** Bytes of memory, about. */
  get cost(): number {
    return this.#unfinished + this.#queuedBytes + this.#queued * REQUEST_BYTES;
  }

  #takeHead(chunk: Uint8Array, at: number): number {
    // The flag in front is no part of the length.
    this.#length = this.#headBytes === 0 ? 0 : this.#length * 256 + (chunk[at] ?? 0);
    this.#headBytes += 1;
    if (this.#headBytes < HEAD_BYTES) return at + 1;
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
