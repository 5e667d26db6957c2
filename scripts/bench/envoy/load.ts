import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { now } from '../clock.ts';

/** The nth request of a run. */
export type RequestOf = (index: number) => { readonly customer: string; readonly path: string };

/** A keep-alive connection to an Envoy, with one request at a time. */
class Connection {
  readonly #socket: Socket;
  #done: ((error: Error | null, version: string) => void) | null = null;
  #tail = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (block: Buffer) => this.#onData(block.toString('latin1')));
    socket.on('error', (error) => this.#finish(error));
    socket.on('close', () => this.#finish(new Error('Envoy closed the connection')));
  }

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new Connection(socket)));
    });
  }

  /** Resolves to the version in the answer, if any; rejects unless the status is 200. */
  send(customer: string, path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#done = (error, version) => (error ? reject(error) : resolve(version));
      this.#socket.write(`GET ${path} HTTP/1.1\r\nhost: bench\r\nx-customer-id: ${customer}\r\n\r\n`);
    });
  }

  close(): void {
    this.#done = null;
    this.#socket.destroy();
  }

  #onData(text: string): void {
    this.#tail += text;
    const head = this.#tail.indexOf('\r\n\r\n');
    if (head < 0) return;
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(this.#tail)?.[1] ?? 0);
    if (this.#tail.length < head + 4 + length) return;
    const ok = this.#tail.startsWith('HTTP/1.1 200');
    const answer = this.#tail.slice(0, 200);
    const version = /\r\nx-shard-version: (\S+)/.exec(this.#tail)?.[1] ?? '';
    this.#tail = '';
    this.#finish(ok ? null : new Error(`Envoy answered ${answer}`), version);
  }

  #finish(error: Error | null, version = ''): void {
    const done = this.#done;
    this.#done = null;
    done?.(error, version);
  }
}

/** Sends `count` requests as fast as Envoy answers, over several connections. */
export async function drive(port: number, options: { count: number; connections: number; request: RequestOf }) {
  const { count, request } = options;
  const connections = await openAll(port, options.connections);
  let next = 0;
  const work = async (connection: Connection) => {
    for (let i = next++; i < count; i = next++) {
      const { customer, path } = request(i);
      await connection.send(customer, path);
    }
  };
  await Promise.all(connections.map(work));
  connections.forEach((connection) => connection.close());
}

function openAll(port: number, count: number): Promise<Connection[]> {
  return Promise.all(Array.from({ length: count }, () => Connection.open(port)));
}

/** One request: when it began (ms since the first), how long it took in ms, and the version in its answer. */
export interface Timing {
  readonly version: string;
  readonly at: number;
  readonly took: number;
}

/** Sends requests at a fixed rate, whether or not earlier ones were answered, until `until`. */
export async function pace(
  port: number,
  options: { rate: number; connections: number; request: RequestOf; isOver: (elapsedMs: number) => boolean },
): Promise<{ readonly timings: readonly Timing[]; readonly failed: number }> {
  const idle = await openAll(port, options.connections);
  const timings: Timing[] = [];
  const open = new Set<Promise<void>>();
  const started = now();
  let failed = 0;
  const send = async (at: number, index: number) => {
    const connection = idle.pop() ?? (await Connection.open(port));
    const { customer, path } = options.request(index);
    try {
      const version = await connection.send(customer, path);
      timings.push({ at, took: now() - started - at, version });
      idle.push(connection);
    } catch {
      failed += 1;
      connection.close();
    }
  };
  for (let index = 0; ; index++) {
    const at = (index * 1000) / options.rate;
    for (let early = at - (now() - started); early > 0; early = at - (now() - started)) await sleep(early);
    if (options.isOver(now() - started)) break;
    const sent = send(at, index).finally(() => open.delete(sent));
    open.add(sent);
  }
  await Promise.all(open);
  idle.forEach((connection) => connection.close());
  return { timings, failed };
}
