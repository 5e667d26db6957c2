import { ServerCredentials, status, type Server } from '@grpc/grpc-js';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeRuntime } from '../release/encode.ts';
import { bind, createGrpcServer } from './grpc.ts';
import { createMailbox } from './mailbox.ts';
import { createPush, type EncodedRelease, type Push } from './push.ts';
import { StreamSession, type Session, type XdsCall } from './session.ts';
import type { XdsSettings } from './settings.ts';
import { NO_RELEASE, type Dialect, type StreamAction } from './stream/types.ts';

export interface XdsServerOptions {
  readonly settings: XdsSettings;
  /** Every action of every stream, in the order in which they were carried out, and never nested: it may call `offer`. */
  readonly onAction: (session: Session, action: StreamAction) => void;
}

/** How long `drain` waits for the answers to what was pushed last. */
const ANSWER_MOMENT_MS = 2_000;
const POLL_MS = 20;

/** The xDS server: SotW and delta, per type and aggregated. */
export class XdsServer {
  readonly #settings: XdsSettings;
  readonly #server: Server;
  readonly #sessions = new Set<StreamSession>();
  /** Streams that subscribe to the configured resource, by node.id. */
  readonly #members = new Map<string, number>();
  readonly #deliver: (item: { session: Session; action: StreamAction }) => void;
  /** What nodes have while there is no release: an empty layer, at once, rather than silence for 15 s. */
  readonly #nothing: EncodedRelease;
  #push: Push;
  #opened = 0;
  #draining = false;

  constructor({ settings, onAction }: XdsServerOptions) {
    this.#settings = settings;
    this.#nothing = { version: NO_RELEASE, resource: encodeRuntime(new Map(), settings.resource) };
    this.#push = createPush(0, settings.resource, this.#nothing);
    this.#deliver = createMailbox(({ session, action }) => onAction(session, action));
    this.#server = createGrpcServer(settings, (call, kind) => this.#accept(call, kind));
  }

  /** Starts to listen. Resolves to the port; rejects with the system's words when it can't. */
  listen(): Promise<number> {
    return bind(this.#server, this.#settings, ServerCredentials.createInsecure());
  }

  /** What all nodes shall have; null: there is no release. A version may be offered again, to those that refused it. */
  offer(release: EncodedRelease | null): void {
    this.#push = createPush(this.#push.seq + 1, this.#settings.resource, release ?? this.#nothing);
    for (const session of this.#sessions) session.offer(this.#push);
  }

  /** The open streams, in the order they came; one that has not named its node yet has none. */
  sessions(): Iterable<Session> {
    return this.#sessions;
  }

  /** Another stream subscribes to the configured resource under the same node.id. */
  isDuplicate({ node, member }: Session): boolean {
    return member && node !== null && (this.#members.get(node.id) ?? 0) > 1;
  }

  /** No new streams, a moment for what is unanswered, then every stream ends with UNAVAILABLE. Takes `ms` at most. */
  async drain(ms: number): Promise<void> {
    const end = Date.now() + ms;
    this.#draining = true;
    const closed = new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    await this.#answered(Date.now() + Math.min(ms, ANSWER_MOMENT_MS));
    for (const session of this.#sessions) session.close(status.UNAVAILABLE, SHUTTING_DOWN);
    await Promise.race([closed, sleep(Math.max(0, end - Date.now()), undefined, { ref: false })]);
    this.#server.forceShutdown();
  }

  async #answered(deadline: number): Promise<void> {
    while (Date.now() < deadline && [...this.#sessions].some((session) => session.unanswered)) await sleep(POLL_MS);
  }

  #accept(call: XdsCall, kind: { readonly dialect: Dialect; readonly aggregated: boolean }): void {
    const { resource, limits } = this.#settings;
    this.#opened += 1;
    const session = new StreamSession({
      ...kind,
      id: String(this.#opened),
      call,
      resource,
      limits,
      push: this.#push,
      authorize: () => null,
      onAction: (session, action) => this.#onAction(session, action),
    });
    if (this.#draining) return session.close(status.UNAVAILABLE, SHUTTING_DOWN);
    if (this.#sessions.size >= limits.streams)
      return session.close(status.RESOURCE_EXHAUSTED, `the server has all of its ${limits.streams} streams`);
    this.#sessions.add(session);
    call.once('close', () => this.#sessions.delete(session));
  }

  #onAction(session: Session, action: StreamAction): void {
    if (action.type === 'joined') this.#count(session, 1);
    if (action.type === 'left') this.#count(session, -1);
    this.#deliver({ session, action });
  }

  #count({ node }: Session, by: 1 | -1): void {
    if (node === null) return;
    const members = (this.#members.get(node.id) ?? 0) + by;
    if (members === 0) this.#members.delete(node.id);
    else this.#members.set(node.id, members);
  }
}

const SHUTTING_DOWN = 'the server is shutting down';
