import { FRAME_HEAD_BYTES } from '../push.ts';
import { collectYoung } from './young.ts';

/** The tag of LoadStatsRequest.node: field 1, a message. */
const NODE_TAG = 0x0a;

/**
 * Cuts a stream's bytes into framed messages, like grpc-js's StreamDecoder, but leaves `node` out of all messages after the first, as the bytes
 * arrive: each report of an Envoy has 50 KB of it in front, which at 5,000 nodes is 150 MB in a second to copy and to collect as garbage.
 */
export class ReportDecoder {
  readonly #maxBytes: number;
  #isFirst = true;
  readonly #head = Buffer.alloc(FRAME_HEAD_BYTES);
  #headBytes = 0;
  /** Bytes of the message that have not arrived. */
  #left = 0;
  /** Bytes of the node that have not arrived. */
  #skip = 0;
  /** The bytes of the node's tag and length, while they arrive; null: they have, or there are none. */
  #node: number[] | null = null;
  #parts: Uint8Array[] = [];

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The messages that are complete now. Throws if one is too long. */
  write(chunk: Buffer): Buffer[] {
    const messages: Buffer[] = [];
    for (let at = 0; at < chunk.length;) {
      at += this.#headBytes < FRAME_HEAD_BYTES ? this.#takeHead(chunk, at) : this.#take(chunk, at);
      if (this.#headBytes === FRAME_HEAD_BYTES && this.#left === 0) messages.push(this.#finish());
    }
    return messages;
  }

  #takeHead(chunk: Buffer, at: number): number {
    const count = chunk.copy(this.#head, this.#headBytes, at, at + FRAME_HEAD_BYTES - this.#headBytes);
    this.#headBytes += count;
    if (this.#headBytes < FRAME_HEAD_BYTES) return count;
    this.#left = this.#head.readUInt32BE(1);
    if (this.#left > this.#maxBytes)
      throw new Error(`Received message larger than max (${this.#left} vs ${this.#maxBytes})`);
    // A compressed message can't be looked into.
    this.#node = this.#isFirst || this.#head[0] !== 0 ? null : [];
    return count;
  }

  #take(chunk: Buffer, at: number): number {
    if (this.#node !== null) return this.#takeNode(chunk[at] ?? 0);
    const count = Math.min(this.#skip || this.#left, chunk.length - at);
    this.#left -= count;
    if (this.#skip > 0) this.#onSkipped(count);
    // A copy of few bytes, so that the rest of the chunk is free.
    else this.#parts.push(Buffer.from(chunk.subarray(at, at + count)));
    return count;
  }

  /** One byte of the node's tag and length, if the message begins with a node. */
  #takeNode(byte: number): number {
    const bytes = (this.#node ??= []);
    bytes.push(byte);
    this.#left -= 1;
    const isNode = bytes[0] === NODE_TAG;
    if (isNode && (bytes.length === 1 || byte > 127) && bytes.length < 6 && this.#left > 0) return 1;
    this.#node = null;
    const length = bytes.slice(1).reduce((sum, each, index) => sum + (each & 127) * 128 ** index, 0);
    // Whatever is odd is left as it is, for the one who decodes it.
    if (isNode && bytes.length > 1 && byte < 128 && length <= this.#left) this.#skip = length;
    else this.#parts.push(Uint8Array.from(bytes));
    return 1;
  }

  #onSkipped(count: number): void {
    this.#skip -= count;
    skipped += count;
    if (skipped < COLLECT_BYTES) return;
    skipped = 0;
    collectYoung();
  }

  #finish(): Buffer {
    const parts = this.#parts;
    this.#parts = [];
    this.#headBytes = 0;
    this.#isFirst = false;
    const message = Buffer.concat([this.#head, ...parts]);
    message.writeUInt32BE(message.length - FRAME_HEAD_BYTES, 1);
    return message;
  }
}

/** How many bytes are skipped, of all streams, before their garbage is collected. */
const COLLECT_BYTES = 16 * 1024 * 1024;

let skipped = 0;

/** Has a call decode its messages so. `decoder` is not public in grpc-js: in a version without it, messages are decoded whole. */
export function skipNodes(call: object, maxBytes: number): void {
  if ('decoder' in call) call.decoder = new ReportDecoder(maxBytes);
}
