import { ServerCredentials, status, type Server } from '@grpc/grpc-js';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeRuntime, RUNTIME_TYPE } from '../release/encode.ts';
import type { XdsSettings } from '../settings/settings.ts';
import { authorizeBySan } from './authorize.ts';
import { loadCredentials, type FileCredentials } from './credentials.ts';
import { Doubts } from './doubts.ts';
import { createDelivery } from './deliver.ts';
import { bind, createGrpcServer, type StreamKind } from './grpc.ts';
import { defaultXdsLimits, type XdsLimits } from './limits.ts';
import type { EncodedRelease } from './push.ts';
import { Gate } from './gate.ts';
import type { Health } from './health.ts';
import { addOperatorServices } from './services.ts';
import { StreamSession, type Session, type SessionOptions, type XdsCall } from './session.ts';
import { NO_RELEASE, type StreamAction, type Target } from './stream/types.ts';

export interface XdsServerOptions {
  readonly settings: Omit<XdsSettings, 'ackTimeoutMs' | 'quorum'>;
  readonly limits?: XdsLimits;
  /** Every action of every stream, in the order in which they were carried out, and never nested: it may call `offer`. */
  readonly onAction: (session: Session, action: StreamAction) => void;
  /** No node may have refused a push since before this process and still be without a good one. Default: one may. */
  readonly trustsClaims?: boolean;
  /** A fault of ours, which has ended one stream. */
  readonly onFailure?: (peer: string, error: unknown) => void;
  /** A stream of any service was turned away or ended before it was a client's: over a limit, or silent. */
  readonly onRefusal?: (peer: string, reason: string) => void;
  /** The TLS files have changed. Null: they are in use for new connections; else why not, and the old ones stay in use. */
  readonly onTlsReload?: (error: Error | null) => void;
  /** How often they are read again. Default: 5 s. */
  readonly tlsReloadMs?: number;
}

/** How long `drain` waits for the answers to what was pushed last. */
const ANSWER_MOMENT_MS = 2_000;
const POLL_MS = 20;
const SHUTTING_DOWN = 'the server is shutting down';

/** The xDS server: SotW and delta, per type and aggregated; with health, reflection and CSDS beside them. */
export class XdsServer {
  readonly #options: XdsServerOptions;
  readonly #limits: XdsLimits;
  readonly #server: Server;
  readonly #health: Health;
  readonly #gate: Gate;
  readonly #sessions = new Set<StreamSession>();
  /** Those that have named a node which they may be: each takes one of `max_streams`. */
  readonly #places = new Set<StreamSession>();
  /** Streams that subscribe to the configured resource, by node.id. */
  readonly #members = new Map<string, number>();
  readonly #doubts: Doubts;
  readonly #deliver: (item: { session: StreamSession; action: StreamAction }) => void;
  /** What nodes have while there is no release: an empty layer, at once, rather than silence for 15 s. */
  readonly #nothing: EncodedRelease;
  #target: Target;
  #tls: FileCredentials | null = null;
  #opened = 0;
  #draining = false;

  constructor(options: XdsServerOptions) {
    const { settings, limits = defaultXdsLimits, onAction } = options;
    const { resource } = settings;
    this.#options = options;
    this.#doubts = new Doubts(options.trustsClaims ?? false);
    this.#limits = limits;
    this.#nothing = { version: NO_RELEASE, resource: encodeRuntime(new Map(), resource) };
    this.#target = this.#toTarget(0, this.#nothing);
    this.#deliver = createDelivery(
      ({ session, action }) => onAction(session, action),
      (error, { session }) => session.fail(error),
    );
    const { onFailure = () => undefined, onRefusal = () => undefined } = options;
    this.#gate = new Gate({ limits, maxPerClient: settings.maxStreamsPerClient, onRefusal });
    this.#server = createGrpcServer({ settings, limits, gate: this.#gate }, (call, kind) => this.#accept(call, kind));
    const fleet = { resource, sessions: () => this.#sessions, target: () => this.#target.version };
    this.#health = addOperatorServices(this.#server, fleet, onFailure);
  }

  /**
   * Starts to listen. Resolves to the port; rejects with the system's words when it can't, or when the TLS files can't be
   * used.
   */
  async listen(): Promise<number> {
    const { settings, onTlsReload = () => undefined, tlsReloadMs: reloadMs } = this.#options;
    if (settings.tls !== null)
      this.#tls = await loadCredentials({ tls: settings.tls, onReload: onTlsReload, ...(reloadMs && { reloadMs }) });
    const port = await bind(this.#server, settings, this.#tls?.credentials ?? ServerCredentials.createInsecure());
    return port;
  }

  /** What grpc.health.v1 says: that the server has what it is there for. */
  setHealth(isServing: boolean): void {
    this.#health.set(isServing && !this.#draining);
  }

  /** What all nodes shall have; null: there is no release. A version may be offered again, to those that refused it. */
  offer(release: EncodedRelease | null): void {
    this.#aim(this.#toTarget(this.#target.seq + 1, release ?? this.#nothing));
  }

  /** Nothing is sent, neither the release before nor an empty layer, until the next offer. */
  withhold(): void {
    this.#aim({ ...this.#toTarget(this.#target.seq + 1, this.#nothing), withheld: true });
  }

  /** What the fleet shall have is being looked for. */
  get isWithheld(): boolean {
    return this.#target.withheld === true;
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
    this.#health.set(false);
    this.#tls?.close();
    const closed = new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    await this.#answered(Date.now() + Math.min(ms, ANSWER_MOMENT_MS));
    for (const session of this.#sessions) session.close(status.UNAVAILABLE, SHUTTING_DOWN);
    this.#gate.end(status.UNAVAILABLE, SHUTTING_DOWN);
    await Promise.race([closed, sleep(Math.max(0, end - Date.now()), undefined, { ref: false })]);
    this.#server.forceShutdown();
  }

  #aim(target: Target): void {
    this.#target = target;
    for (const session of this.#sessions) session.offer(target);
  }

  #toTarget(seq: number, { version, resource: bytes }: EncodedRelease): Target {
    const { resource: name } = this.#options.settings;
    return { seq, version, resources: new Map([[RUNTIME_TYPE, [{ name, bytes }]]]) };
  }

  async #answered(deadline: number): Promise<void> {
    while (Date.now() < deadline && [...this.#sessions].some((session) => session.unanswered)) await sleep(POLL_MS);
  }

  #accept(call: XdsCall, kind: StreamKind): void {
    const { settings } = this.#options;
    this.#opened += 1;
    const session: StreamSession = new StreamSession({
      ...kind,
      id: String(this.#opened),
      call,
      resource: settings.resource,
      limits: this.#limits,
      target: this.#target,
      admit: (node) => this.#admit(session, call, node.id),
      isTrusted: (nodeId) => this.#doubts.isTrusted(nodeId) && !this.#members.has(nodeId),
      onAction: (_from, action) => this.#onAction(session, action),
      onFailure: this.#options.onFailure ?? (() => undefined),
    });
    if (this.#draining) return session.close(status.UNAVAILABLE, SHUTTING_DOWN);
    this.#sessions.add(session);
    call.once('close', () => {
      this.#sessions.delete(session);
      this.#places.delete(session);
      if (session.doubt !== null) this.#doubts.close(session.doubt);
    });
  }

  /** Who may be this node gets a place; who may not, or says nothing, takes none. */
  #admit(session: StreamSession, call: XdsCall, nodeId: string): ReturnType<SessionOptions['admit']> {
    const { tls, maxStreams } = this.#options.settings;
    const denied = authorizeBySan(tls?.san ?? null, call, nodeId);
    if (denied !== null) return { code: 'PERMISSION_DENIED', message: denied };
    if (this.#places.size >= maxStreams)
      return { code: 'RESOURCE_EXHAUSTED', message: `the server has all of its ${maxStreams} streams` };
    this.#places.add(session);
    session.doubt = this.#doubts.open(nodeId);
    return null;
  }

  #onAction(session: StreamSession, action: StreamAction): void {
    if (action.type === 'joined') this.#count(session, 1);
    if (action.type === 'left') this.#count(session, -1);
    doubt(session, action);
    this.#deliver({ session, action });
  }

  #count({ node }: Session, by: 1 | -1): void {
    if (node === null) return;
    const members = (this.#members.get(node.id) ?? 0) + by;
    if (members === 0) this.#members.delete(node.id);
    else this.#members.set(node.id, members);
  }
}

/** A push puts its node in doubt, an ACK ends that. */
function doubt({ doubt }: StreamSession, { type }: StreamAction): void {
  if (doubt === null) return;
  if (type === 'send' || type === 'send_absent') doubt.inDoubt = true;
  if (type === 'acked') doubt.inDoubt = false;
}
