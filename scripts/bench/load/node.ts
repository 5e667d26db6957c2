import protobuf from 'protobufjs/minimal.js';
import { ResponseScanner, type ResponseHead } from './scan.ts';
import { LoadStream } from './stream.ts';

/** A node's answer to a response: ACK, NACK with a message, or none. */
export type Answer = 'ack' | 'silence' | { readonly refusal: string };

export interface LoadNodeOptions {
  readonly port: number;
  readonly id: string;
  readonly dialect?: 'sotw' | 'delta';
  /** Decides about each response. */
  readonly onResponse: (head: ResponseHead) => Answer;
  readonly onClose: (reason: string) => void;
}

/** One xDS client that subscribes to the resource `runtime` of RuntimeDiscoveryService, on a connection of its own. */
export class LoadNode {
  readonly id: string;
  /** The version of the last response that it accepted. */
  version: string | null = null;
  readonly #stream: LoadStream;
  readonly #dialect: 'sotw' | 'delta';

  constructor(options: LoadNodeOptions) {
    const { id, port, dialect = 'sotw', onResponse, onClose } = options;
    this.id = id;
    this.#dialect = dialect;
    const scanner = new ResponseScanner((head) => this.#answer(head, onResponse(head)));
    const method = dialect === 'sotw' ? 'StreamRuntime' : 'DeltaRuntime';
    this.#stream = new LoadStream({
      port,
      path: `/envoy.service.runtime.v3.RuntimeDiscoveryService/${method}`,
      onData: (bytes) => scanner.feed(bytes),
      onClose,
    });
    this.#stream.send(this.#subscribe());
  }

  /** Stops reading, like a process that hangs. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** Drops the connection. */
  close(): void {
    this.#stream.destroy();
  }

  #answer(head: ResponseHead, answer: Answer): void {
    if (answer === 'silence') return;
    if (answer === 'ack') this.version = head.version;
    this.#stream.send(this.#encodeAnswer(head, answer === 'ack' ? null : answer.refusal));
  }

  /** The first request: the node, and what it wants. Fields 2 and 3 of DiscoveryRequest, 1 and 3 of DeltaDiscoveryRequest. */
  #subscribe(): Uint8Array {
    const writer = protobuf.Writer.create();
    writer.uint32(tag(this.#dialect === 'sotw' ? 2 : 1)).fork();
    writer.uint32(tag(1)).string(this.id).ldelim();
    return writer.uint32(tag(3)).string('runtime').finish();
  }

  /** SotW: version_info 1, resource_names 3, response_nonce 5, error_detail 6. Delta: response_nonce 6, error_detail 7. */
  #encodeAnswer({ nonce }: ResponseHead, refusal: string | null): Uint8Array {
    const writer = protobuf.Writer.create();
    const sotw = this.#dialect === 'sotw';
    if (sotw && this.version !== null) writer.uint32(tag(1)).string(this.version);
    if (sotw) writer.uint32(tag(3)).string('runtime');
    writer.uint32(tag(sotw ? 5 : 6)).string(nonce);
    if (refusal === null) return writer.finish();
    writer.uint32(tag(sotw ? 6 : 7)).fork();
    return writer.uint32(8).int32(13).uint32(tag(2)).string(refusal).ldelim().finish();
  }
}

/** The tag of a length-delimited field. */
export function tag(field: number): number {
  return (field << 3) | 2;
}
