import { status, type handleUnaryCall, type ServerWritableStream } from '@grpc/grpc-js';
import { isTooLong, toServiceError } from './answer.ts';

type Serving = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';

interface Question {
  /** Absent or empty: the whole server. */
  readonly service?: string;
}

interface Answer {
  readonly status: Serving;
}

/**
 * grpc.health.v1 (https://github.com/grpc/grpc/blob/master/doc/health-checking.md): the whole server and all its services have the same
 * status. A watcher of an unknown name gets SERVICE_UNKNOWN once, and is not kept.
 */
export class Health {
  readonly #names: ReadonlySet<string>;
  readonly #watchers = new Set<Watcher>();
  #serving: Serving = 'NOT_SERVING';

  constructor(services: readonly string[]) {
    this.#names = new Set(['', ...services]);
  }

  set(isServing: boolean): void {
    this.#serving = isServing ? 'SERVING' : 'NOT_SERVING';
    for (const watcher of this.#watchers) watcher.send(this.#serving);
  }

  handlers() {
    return {
      Check: this.#check,
      Watch: (call: ServerWritableStream<Question, Answer>) => this.#watch(call),
      List: this.#list,
    };
  }

  readonly #check: handleUnaryCall<Question, Answer> = ({ request: { service = '' } }, callback) => {
    if (this.#names.has(service)) callback(null, { status: this.#serving });
    else callback(toServiceError(status.NOT_FOUND, 'no such service'));
  };

  readonly #list: handleUnaryCall<object, object> = (_call, callback) => {
    const statuses = [...this.#names].map((name) => [name, { status: this.#serving }] as const);
    callback(null, { statuses: Object.fromEntries(statuses) });
  };

  #watch(call: ServerWritableStream<Question, Answer>): void {
    const { service = '' } = call.request;
    // grpc-js keeps the request for as long as the call.
    if (isTooLong(service)) {
      call.emit('error', toServiceError(status.RESOURCE_EXHAUSTED, 'the name of the service is longer than 256 bytes'));
      return;
    }
    const watcher = new Watcher(call);
    if (!this.#names.has(service)) return watcher.send('SERVICE_UNKNOWN');
    this.#watchers.add(watcher);
    call.once('cancelled', () => this.#watchers.delete(watcher));
    watcher.send(this.#serving);
  }
}

/** Sends the newest status once the last one has left, so a client that does not read costs one message. */
class Watcher {
  readonly #call: ServerWritableStream<Question, Answer>;
  #sent: Serving | null = null;
  #newest: Serving | null = null;
  #isWriting = false;

  constructor(call: ServerWritableStream<Question, Answer>) {
    this.#call = call;
  }

  send(serving: Serving): void {
    this.#newest = serving;
    if (this.#isWriting || this.#sent === serving) return;
    this.#sent = serving;
    this.#isWriting = true;
    this.#call.write({ status: serving }, () => {
      this.#isWriting = false;
      if (this.#newest !== null) this.send(this.#newest);
    });
  }
}
