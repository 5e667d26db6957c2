import { ServerInterceptingCall, status, type ServerInterceptor } from '@grpc/grpc-js';
import { clientOf, type Client } from './client-of.ts';
import { EXPIRED, GatedStream, type GatedStreamOptions, type Keeper } from './gated-stream.ts';
import type { XdsLimits } from './limits.ts';
import { skipNodes } from './load/report-decoder.ts';
import { kindOf } from './services.ts';

export interface GateOptions {
  readonly limits: XdsLimits;
  /** The most xDS streams of one client address, and of one client certificate. */
  readonly maxPerClient: number;
  /** Called with the reason when a stream is refused or ended. */
  readonly onRefusal: (peer: string, reason: string) => void;
}

/** Limits the number of streams on the port, of any service, their unread bytes, and how long each may keep us waiting. */
export class Gate {
  readonly #options: GateOptions;
  /** Open streams by kind and client; the client '' stands for all. */
  readonly #open = new Map<string, number>();
  /** With the keys that each is counted under in `#open`. */
  readonly #streams = new Map<GatedStream, readonly string[]>();
  readonly #keeper: Keeper;
  /** Memory of all streams' unread requests. */
  #unreadBytes = 0;
  /** Runs while there are streams. */
  #readers: NodeJS.Timeout | undefined;
  /** Streams that have sent nothing yet, oldest first. */
  readonly #waiting = new Set<GatedStream>();

  constructor(options: GateOptions) {
    this.#options = options;
    this.#keeper = {
      onFirstMessage: (stream) => this.#waiting.delete(stream),
      onUnread: (by) => this.#weigh(by),
      onEnd: (stream, reason) => options.onRefusal(stream.getPeer(), reason),
      onClose: (stream) => this.#close(stream),
    };
  }

  readonly intercept: ServerInterceptor = (method, call) => {
    const client = clientOf(call);
    const kind = kindOf(method.path);
    const refusal = this.#refuse(client, kind);
    if (refusal !== null) {
      this.#options.onRefusal(call.getPeer(), refusal.details);
      call.sendStatus(refusal);
      return new ServerInterceptingCall(call, { start: () => undefined });
    }
    return this.#admit({ method, call, client, kind });
  };

  /** Ends all streams. */
  end(code: status, details: string): void {
    for (const stream of this.#streams.keys()) stream.sendStatus({ code, details });
  }

  #refuse({ keys, expiresAt }: Client, kind: Kind): { code: status; details: string } | null {
    if (expiresAt <= Date.now()) return { code: status.UNAUTHENTICATED, details: EXPIRED };
    const { maxPerClient, limits } = this.#options;
    const { client, all } = limits.operatorCalls;
    const max = kind === 'operator' ? client : maxPerClient;
    const full = keys.find((key) => this.#count(key.key, kind) >= max);
    if (full) return exhausted(`one client ${full.kind} may have at most ${max} ${words[kind]}`);
    if (kind === 'operator' && this.#count('', kind) >= all)
      return exhausted(`the server may have at most ${all} ${words[kind]}`);
    return null;
  }

  #admit(stream: Pick<GatedStreamOptions, 'method' | 'call'> & { client: Client; kind: Kind }): ServerInterceptingCall {
    const { method, call, client, kind } = stream;
    const counted = ['', ...client.keys.map(({ key }) => key)].map((key) => nameOf(key, kind));
    for (const name of counted) this.#add(name, 1);
    if (kind === 'load') skipNodes(call, this.#options.limits.requestBytes);
    const gated = new GatedStream({
      method,
      call,
      limits: this.#options.limits,
      expiresAt: client.expiresAt,
      keeper: this.#keeper,
    });
    this.#streams.set(gated, counted);
    this.#readers ??= setInterval(() => this.#checkReaders(), this.#options.limits.unreadMs / 4).unref();
    this.#waiting.add(gated);
    this.#makeRoom();
    return gated;
  }

  #close(stream: GatedStream): void {
    this.#waiting.delete(stream);
    for (const name of this.#streams.get(stream) ?? []) this.#add(name, -1);
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    clearInterval(this.#readers);
    this.#readers = undefined;
  }

  #checkReaders(): void {
    const now = performance.now();
    for (const stream of this.#streams.keys()) stream.checkReader(now);
  }

  /** Over the bound, drops the stream with most unread bytes: well-behaved ones have next to none. */
  #weigh(by: number): void {
    this.#unreadBytes += by;
    if (by <= 0 || this.#unreadBytes <= this.#options.limits.unreadBytes) return;
    let most: GatedStream | null = null;
    for (const stream of this.#streams.keys()) if (stream.cost > (most?.cost ?? 0)) most = stream;
    most?.drop('the streams together have sent more than can be buffered, and this one the most');
  }

  /** Ends the stream that has been silent for longest: an Envoy sends its first request at once. */
  #makeRoom(): void {
    const { limits } = this.#options;
    if (this.#waiting.size <= limits.waiting) return;
    for (const oldest of this.#waiting) {
      this.#waiting.delete(oldest);
      oldest.end(status.RESOURCE_EXHAUSTED, `it sent nothing while ${limits.waiting} other streams connected`);
      return;
    }
  }

  #count(key: string, kind: Kind): number {
    return this.#open.get(nameOf(key, kind)) ?? 0;
  }

  #add(name: string, by: 1 | -1): void {
    const count = (this.#open.get(name) ?? 0) + by;
    if (count === 0) this.#open.delete(name);
    else this.#open.set(name, count);
  }
}

function nameOf(key: string, kind: Kind): string {
  return `${kind} ${key}`;
}

type Kind = ReturnType<typeof kindOf>;

const words: Readonly<Record<Kind, string>> = {
  xds: 'streams (xds.max_streams_per_client)',
  load: 'streams of load reports (xds.max_streams_per_client)',
  check: 'health checks at once (xds.max_streams_per_client)',
  operator: 'calls of reflection, CSDS and health watch at once',
};

function exhausted(details: string) {
  return { code: status.RESOURCE_EXHAUSTED, details };
}
