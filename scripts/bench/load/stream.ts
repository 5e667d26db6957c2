import { connect, type Socket } from 'node:net';
import { SendWindow } from './send-window.ts';

export interface StreamOptions {
  readonly port: number;
  /** `/package.Service/Method` */
  readonly path: string;
  /** Bytes of the response's messages, in order. Don't keep them: the buffer is reused. */
  readonly onData: (bytes: Buffer) => void;
  /** Called once, with the reason for the end. */
  readonly onClose: (reason: string) => void;
}

/** Envoy's default windows since 1.35: 16 MiB for a stream, 24 MiB for a connection. */
const STREAM_WINDOW = 16 * 1024 * 1024;
const CONNECTION_WINDOW = 24 * 1024 * 1024;
const DEFAULT_WINDOW = 65_535;

const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const GOAWAY = 7;
const WINDOW_UPDATE = 8;
const ACK = 1;
/** A setting. */
const INITIAL_WINDOW_SIZE = 4;
const END_STREAM = 1;
const END_HEADERS = 4;
const PADDED = 8;
const HEAD_BYTES = 9;

/** Shared by all connections of the process, which read one at a time. */
const inbox = Buffer.allocUnsafe(256 * 1024);

/**
 * One gRPC stream on an HTTP/2 connection of its own, implemented here because thousands of them must cost less than the server under
 * test, and node:http2 costs as much as that. Supports only the part of HTTP/2 (RFC 9113) that it needs: no padding, no header
 * compression, and trailers are not read.
 */
export class LoadStream {
  readonly #socket: Socket;
  readonly #options: StreamOptions;
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #headBytes = 0;
  /** Of the current frame. */
  #type = 0;
  #flags = 0;
  /** The stream that it is about; 0: the connection. */
  #stream = 0;
  #left = 0;
  /** The payload of a PING, SETTINGS or WINDOW_UPDATE, as far as it has arrived. */
  #control = Buffer.alloc(0);
  readonly #window = new SendWindow((payload) => this.#writeData(payload));
  /** Bytes received and not yet returned to the sender's windows. */
  #streamTaken = 0;
  #connectionTaken = 0;
  #closed = false;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#socket = connect({
      host: '127.0.0.1',
      port: options.port,
      noDelay: true,
      onread: { buffer: inbox, callback: (count) => this.#read(inbox.subarray(0, count)) },
    });
    this.#socket.on('error', (error) => this.#close(error.message));
    this.#socket.on('close', () => this.#close('the connection was closed'));
    this.#socket.write(hello(options.path));
  }

  /** Sends one message, as far as the server's windows allow. */
  send(message: Uint8Array): void {
    if (this.#closed) return;
    const framed = Buffer.alloc(5 + message.length);
    framed.writeUInt32BE(message.length, 1);
    framed.set(message, 5);
    this.#window.send(framed);
  }

  /** Messages that the server's windows have not let through. */
  get waiting(): number {
    return this.#window.waiting;
  }

  #writeData(payload: Uint8Array): void {
    const frame = Buffer.allocUnsafe(HEAD_BYTES + payload.length);
    writeHead(frame, { length: payload.length, type: DATA, stream: 1 });
    frame.set(payload, HEAD_BYTES);
    this.#socket.write(frame);
  }

  /** Stops reading, like a process that hangs. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Drops the connection. */
  destroy(): void {
    this.#close('destroyed');
  }

  #close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    this.#options.onClose(reason);
  }

  /** Node stops reading when this is false. */
  #read(bytes: Buffer): boolean {
    for (let at = 0; at < bytes.length && !this.#closed;)
      at += this.#left > 0 ? this.#payload(bytes, at) : this.#readHead(bytes, at);
    return !this.#closed && !this.#socket.isPaused();
  }

  #readHead(bytes: Buffer, at: number): number {
    const count = bytes.copy(this.#head, this.#headBytes, at, at + HEAD_BYTES - this.#headBytes);
    this.#headBytes += count;
    if (this.#headBytes < HEAD_BYTES) return count;
    this.#headBytes = 0;
    this.#left = this.#head.readUIntBE(0, 3);
    this.#type = this.#head.readUInt8(3);
    this.#flags = this.#head.readUInt8(4);
    this.#stream = this.#head.readUInt32BE(5);
    this.#control = Buffer.alloc(0);
    this.#onHead();
    return count;
  }

  #onHead(): void {
    if (this.#type === SETTINGS && (this.#flags & ACK) === 0) this.#socket.write(head({ type: SETTINGS, flags: ACK }));
    if (this.#type === GOAWAY) this.#close('the server said goodbye');
    if (this.#type === RST_STREAM) this.#close('the stream was reset');
    if ((this.#type === DATA || this.#type === HEADERS) && this.#flags & END_STREAM)
      this.#close('the stream was ended');
    if (this.#type === DATA && this.#flags & PADDED) this.#close('padding is not understood');
  }

  #payload(bytes: Buffer, at: number): number {
    const count = Math.min(this.#left, bytes.length - at);
    this.#left -= count;
    if (this.#type === DATA) this.#onData(bytes.subarray(at, at + count));
    if ([PING, SETTINGS, WINDOW_UPDATE].includes(this.#type) && (this.#flags & ACK) === 0)
      this.#onControl(bytes.subarray(at, at + count));
    return count;
  }

  #onData(bytes: Buffer): void {
    this.#streamTaken += bytes.length;
    this.#connectionTaken += bytes.length;
    this.#options.onData(bytes);
    if (this.#streamTaken < STREAM_WINDOW / 2) return;
    this.#socket.write(Buffer.concat([windowUpdate(1, this.#streamTaken), windowUpdate(0, this.#connectionTaken)]));
    this.#streamTaken = 0;
    this.#connectionTaken = 0;
  }

  #onControl(bytes: Buffer): void {
    this.#control = Buffer.concat([this.#control, bytes]);
    if (this.#left > 0) return;
    const payload = this.#control;
    if (this.#type === PING) this.#socket.write(Buffer.concat([head({ length: 8, type: PING, flags: ACK }), payload]));
    if (this.#type === WINDOW_UPDATE) this.#window.grow(this.#stream, payload.readUInt32BE(0));
    for (let at = 0; this.#type === SETTINGS && at + 6 <= payload.length; at += 6)
      if (payload.readUInt16BE(at) === INITIAL_WINDOW_SIZE) this.#window.setInitial(payload.readUInt32BE(at + 2));
  }
}

interface Head {
  readonly type: number;
  readonly flags?: number;
  readonly stream?: number;
  readonly length?: number;
}

function writeHead(frame: Buffer, { type, flags = 0, stream = 0, length = 0 }: Head): void {
  frame.writeUIntBE(length, 0, 3);
  frame.writeUInt8(type, 3);
  frame.writeUInt8(flags, 4);
  frame.writeUInt32BE(stream, 5);
}

function head(fields: Head): Buffer {
  const frame = Buffer.alloc(HEAD_BYTES);
  writeHead(frame, fields);
  return frame;
}

function windowUpdate(stream: number, bytes: number): Buffer {
  const frame = Buffer.alloc(HEAD_BYTES + 4);
  writeHead(frame, { type: WINDOW_UPDATE, stream, length: 4 });
  frame.writeUInt32BE(bytes, HEAD_BYTES);
  return frame;
}

/** The connection's preface, our settings and windows, and the stream's headers. */
function hello(path: string): Buffer {
  const settings = Buffer.alloc(12);
  settings.writeUInt16BE(1, 0); // SETTINGS_HEADER_TABLE_SIZE: 0
  settings.writeUInt16BE(4, 6); // SETTINGS_INITIAL_WINDOW_SIZE
  settings.writeUInt32BE(STREAM_WINDOW, 8);
  const headers = encodeHeaders([
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'localhost'],
    ['te', 'trailers'],
    ['content-type', 'application/grpc'],
  ]);
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    head({ type: SETTINGS, length: settings.length }),
    settings,
    windowUpdate(0, CONNECTION_WINDOW - DEFAULT_WINDOW),
    head({ type: HEADERS, flags: END_HEADERS, stream: 1, length: headers.length }),
    headers,
  ]);
}

/** Literal fields without indexing, as in RFC 7541 6.2.2: no table, no Huffman code. All are shorter than 127 bytes. */
function encodeHeaders(fields: readonly (readonly [string, string])[]): Buffer {
  const text = (value: string): Buffer => Buffer.concat([Buffer.of(value.length), Buffer.from(value, 'latin1')]);
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]));
}
