import protobuf from 'protobufjs/minimal.js';
import { tag } from './node.ts';
import { LoadStream } from './stream.ts';

export interface ReporterOptions {
  readonly port: number;
  readonly id: string;
  /** The size of a message without its clusters. */
  readonly nodeBytes: number;
  /** The server has answered the first message. */
  readonly onAsked: () => void;
  readonly onClose: (reason: string) => void;
}

/** The load reports of one node, as Envoy sends them: each with the whole node in it. On a connection of its own. */
export class Reporter {
  readonly #stream: LoadStream;
  readonly #report: Uint8Array;
  #timer: NodeJS.Timeout | undefined;

  constructor({ port, id, nodeBytes, onAsked, onClose }: ReporterOptions) {
    let isAsked = false;
    this.#stream = new LoadStream({
      port,
      path: '/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats',
      onData: () => {
        if (!isAsked) onAsked();
        isAsked = true;
      },
      onClose,
    });
    this.#stream.send(encodeNode(id, nodeBytes));
    this.#report = Buffer.concat([filler(nodeBytes), clusters]);
  }

  /** From now on a report each `ms` (0: none), the first after a random part of that. Nodes start at any time. */
  every(ms: number): void {
    clearTimeout(this.#timer);
    if (ms === 0) return;
    this.#timer = setTimeout(() => {
      this.#stream.send(this.#report);
      this.#timer = setInterval(() => this.#stream.send(this.#report), ms);
    }, Math.random() * ms);
  }

  /** Reports that the server has not let through. */
  get late(): number {
    return this.#stream.waiting;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#stream.destroy();
  }
}

/** Bytes of one extension's entry in Envoy's node. */
const EXTENSION_BYTES = 116;

/** LoadStatsRequest: node 1; Node: id 1, extensions 9; Extension: name 1. */
function encodeNode(id: string, bytes: number): Uint8Array {
  const writer = protobuf.Writer.create().uint32(tag(1)).fork().uint32(tag(1)).string(id);
  for (let size = 0; size < bytes; size += EXTENSION_BYTES)
    writer
      .uint32(tag(9))
      .fork()
      .uint32(tag(1))
      .string('x'.repeat(EXTENSION_BYTES - 4))
      .ldelim();
  return writer.ldelim().finish();
}

const fillers = new Map<number, Uint8Array>();

/** A node as all reporters send it again; one for all, since it is not read again. */
function filler(bytes: number): Uint8Array {
  const known = fillers.get(bytes) ?? encodeNode('again', bytes);
  fillers.set(bytes, known);
  return known;
}

/** What an Envoy of our bootstrap reports, with little traffic: cluster_stats 2; cluster_name 1, upstream_locality_stats 2. */
const clusters = (['backends', 'xds', 'envoy_admin'] as const)
  .reduce((writer, name) => {
    writer.uint32(tag(2)).fork().uint32(tag(1)).string(name);
    writer.uint32(tag(2)).fork().uint32(tag(1)).fork().ldelim();
    writer.uint32(0x10).uint64(19).uint32(0x20).uint64(1).uint32(0x40).uint64(20).ldelim();
    return writer.uint32(tag(4)).fork().uint32(0x08).uint64(2).uint32(0x10).uint32(3_000_000).ldelim().ldelim();
  }, protobuf.Writer.create())
  .finish();
