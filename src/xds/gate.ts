import { ServerInterceptingCall, status, type ServerInterceptor } from '@grpc/grpc-js';
import { clientOf, type Client } from './client-of.ts';
import { EXPIRED, GatedStream, type GatedStreamOptions, type Keeper } from './gated-stream.ts';
import type { XdsLimits } from './limits.ts';
import { kindOf } from './services.ts';

export interface GateOptions {
  readonly limits: XdsLimits;
  /** xDS streams of one client address, and of one client certificate. */
  readonly maxPerClient: number;
  /** A stream was turned away, or ended: why. */
  readonly onRefusal: (peer: string, reason: string) => void;
}

/** What every stream on the port passes, of whatever service: how many there may be, and how long each may keep us waiting. */
export class Gate {
  readonly #options: GateOptions;
  /** Open streams by kind and client; the client '' is all. */
  readonly #open = new Map<string, number>();
  /** Each with what it is counted by in `#open`. */
  readonly #streams = new Map<GatedStream, readonly string[]>();
  readonly #keeper: Keeper;
  /** Bytes that all streams have sent and nobody has read. */
  #backlog = 0;
  /** Streams that have said nothing, the oldest first. */
  readonly #waiting = new Set<GatedStream>();

  constructor(options: GateOptions) {
    this.#options = options;
    this.#keeper = {
      onHeard: (stream) => this.#waiting.delete(stream),
      onBacklog: (by) => this.#weigh(by),
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
    return this.#letIn({ method, call, client, kind });
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
    if (full) return exhausted(`one client ${full.kind} has no more than ${max} ${words[kind]}`);
    if (kind === 'operator' && this.#count('', kind) >= all)
      return exhausted(`the server has all of its ${all} ${words[kind]}`);
    return null;
  }

  #letIn(stream: Pick<GatedStreamOptions, 'method' | 'call'> & { client: Client; kind: Kind }): ServerInterceptingCall {
    const { method, call, client, kind } = stream;
    const counted = ['', ...client.keys.map(({ key }) => key)].map((key) => nameOf(key, kind));
    for (const name of counted) this.#add(name, 1);
    const gated = new GatedStream({
      method,
      call,
      limits: this.#options.limits,
      expiresAt: client.expiresAt,
      keeper: this.#keeper,
    });
    this.#streams.set(gated, counted);
    this.#waiting.add(gated);
    this.#makeRoom();
    return gated;
  }

  #close(stream: GatedStream): void {
    this.#waiting.delete(stream);
    for (const name of this.#streams.get(stream) ?? []) this.#add(name, -1);
    this.#streams.delete(stream);
  }

  /** Over the bound the stream goes that has most: who sends a request now and then has next to nothing. */
  #weigh(by: number): void {
    this.#backlog += by;
    if (by <= 0 || this.#backlog <= this.#options.limits.backlogBytes) return;
    let most: GatedStream | null = null;
    for (const stream of this.#streams.keys()) if (stream.cost > (most?.cost ?? 0)) most = stream;
    most?.drop('all streams together have sent more than can be kept, and this one most');
  }

  /** An Envoy names itself at once, so the one that has waited longest is the one to go. */
  #makeRoom(): void {
    const { limits } = this.#options;
    if (this.#waiting.size <= limits.waiting) return;
    for (const oldest of this.#waiting) {
      this.#waiting.delete(oldest);
      oldest.end(status.RESOURCE_EXHAUSTED, `it said nothing while ${limits.waiting} other streams came`);
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

/** What streams are counted by. */
function nameOf(key: string, kind: Kind): string {
  return `${kind} ${key}`;
}

type Kind = ReturnType<typeof kindOf>;

const words: Readonly<Record<Kind, string>> = {
  xds: 'streams (xds.max_streams_per_client)',
  check: 'health checks at once (xds.max_streams_per_client)',
  operator: 'calls of reflection, CSDS and health watch at once',
};

function exhausted(details: string) {
  return { code: status.RESOURCE_EXHAUSTED, details };
}
