/** What a server grants before its first SETTINGS and WINDOW_UPDATE, and the largest DATA frame (RFC 9113 6.5.2, 6.9.2). */
const INITIAL_WINDOW = 65_535;
const MAX_FRAME = 16_384;

/** The bytes of one stream, alone on its connection, that may be sent: split into frames, within both windows of the server. */
export class SendWindow {
  readonly #write: (payload: Uint8Array) => void;
  readonly #queue: Uint8Array[] = [];
  #stream = INITIAL_WINDOW;
  #connection = INITIAL_WINDOW;
  #initial = INITIAL_WINDOW;

  /** `write` is called with the payload of each DATA frame. */
  constructor(write: (payload: Uint8Array) => void) {
    this.#write = write;
  }

  /** Messages that have not been sent as a whole. */
  get waiting(): number {
    return this.#queue.length;
  }

  send(bytes: Uint8Array): void {
    this.#queue.push(bytes);
    this.#flush();
  }

  /** A WINDOW_UPDATE. */
  grow(stream: number, by: number): void {
    if (stream === 0) this.#connection += by;
    else this.#stream += by;
    this.#flush();
  }

  /** SETTINGS_INITIAL_WINDOW_SIZE. */
  setInitial(size: number): void {
    this.#stream += size - this.#initial;
    this.#initial = size;
    this.#flush();
  }

  #flush(): void {
    for (let [bytes] = this.#queue; bytes !== undefined; [bytes] = this.#queue) {
      const count = Math.min(bytes.length, MAX_FRAME, this.#stream, this.#connection);
      if (count <= 0) return;
      this.#stream -= count;
      this.#connection -= count;
      this.#write(bytes.subarray(0, count));
      if (count < bytes.length) this.#queue[0] = bytes.subarray(count);
      else this.#queue.shift();
    }
  }
}
