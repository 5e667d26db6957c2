/** What a load node needs of a DiscoveryResponse or a DeltaDiscoveryResponse. */
export interface ResponseHead {
  readonly version: string;
  readonly nonce: string;
}

/** Field numbers in both messages: version_info or system_version_info, and nonce. */
const VERSION_FIELD = 1;
const NONCE_FIELD = 5;
const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FRAME_HEAD_BYTES = 5;

type State = 'frame' | 'tag' | 'length' | 'varint' | 'text' | 'skip';

/**
 * Extracts version and nonce from gRPC-framed responses as the bytes arrive, and skips everything else: a 7 MB message costs a few
 * steps per chunk, and is never in memory as a whole.
 */
export class ResponseScanner {
  readonly #onResponse: (head: ResponseHead) => void;
  #state: State = 'frame';
  /** Bytes of the message that have not arrived; while the frame's head is read, bytes of that. */
  #left = FRAME_HEAD_BYTES;
  /** Bytes of the current field that have not arrived. */
  #field = 0;
  /** The varint being read, and the position of its next seven bits. */
  #number = 0;
  #shift = 0;
  #tag = 0;
  #texts = { [VERSION_FIELD]: '', [NONCE_FIELD]: '' };

  constructor(onResponse: (head: ResponseHead) => void) {
    this.#onResponse = onResponse;
  }

  /** The next bytes of the stream. `bytes` is not kept. */
  feed(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#state === 'skip' || this.#state === 'text') at += this.#take(bytes, at);
      else this.#step(bytes.readUInt8(at++));
      if (this.#left === 0 && this.#state !== 'frame') this.#finish();
    }
  }

  /** Reads or skips the part of the current field that is in this chunk. */
  #take(bytes: Buffer, at: number): number {
    const count = Math.min(this.#field, bytes.length - at);
    const field = this.#tag >> 3;
    if (this.#state === 'text' && (field === VERSION_FIELD || field === NONCE_FIELD))
      this.#texts[field] += bytes.toString('latin1', at, at + count);
    this.#field -= count;
    this.#left -= count;
    if (this.#field === 0) this.#state = 'tag';
    return count;
  }

  #step(byte: number): void {
    if (this.#state === 'frame') return this.#stepFrame(byte);
    this.#left -= 1;
    this.#number += (byte & 0x7f) * 2 ** this.#shift;
    this.#shift += 7;
    if (byte < 0x80) this.#onNumber(this.#clear());
  }

  /** A flag (0: not compressed), then the message's length in four bytes. */
  #stepFrame(byte: number): void {
    if (this.#left === FRAME_HEAD_BYTES && byte !== 0) throw new Error('a compressed message was not asked for');
    this.#number = this.#number * 256 + byte;
    this.#left -= 1;
    if (this.#left > 0) return;
    this.#left = this.#clear();
    this.#state = 'tag';
  }

  #onNumber(value: number): void {
    if (this.#state === 'tag') {
      this.#tag = value;
      const wireType = value & 7;
      if (wireType !== VARINT && wireType !== LENGTH_DELIMITED)
        throw new Error(`wire type ${wireType} is not expected`);
      this.#state = wireType === VARINT ? 'varint' : 'length';
    } else if (this.#state === 'length' && value > 0) {
      this.#field = value;
      const field = this.#tag >> 3;
      this.#state = field === VERSION_FIELD || field === NONCE_FIELD ? 'text' : 'skip';
    } else this.#state = 'tag';
  }

  #clear(): number {
    const value = this.#number;
    this.#number = 0;
    this.#shift = 0;
    return value;
  }

  #finish(): void {
    const head = { version: this.#texts[VERSION_FIELD], nonce: this.#texts[NONCE_FIELD] };
    this.#texts = { [VERSION_FIELD]: '', [NONCE_FIELD]: '' };
    this.#state = 'frame';
    this.#left = FRAME_HEAD_BYTES;
    this.#onResponse(head);
  }
}
