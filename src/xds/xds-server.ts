import { ServerCredentials, status, type Server } from '@grpc/grpc-js';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SessionId } from '../ids.ts';
import { encodeRuntime } from '../release/encode.ts';
import type { XdsSettings } from '../settings/settings.ts';
import { SHUTTING_DOWN } from './answer.ts';
import { authorizeBySan } from './authorize.ts';
import { createAim, targetFor, type Aim, type WaveOffer } from './aim.ts';
import { loadCredentials, type FileCredentials } from './credentials.ts';
import { Doubts } from './doubts.ts';
import { createDelivery } from './deliver.ts';
import { bind, createGrpcServer, type StreamKind } from './grpc.ts';
import { defaultXdsLimits, type XdsLimits } from './limits.ts';
import { LoadReports, type LoadSink } from './load/load-reports.ts';
import { encodedRuntime, type EncodedRelease } from './push.ts';
import { Gate } from './gate.ts';
import type { Health } from './health.ts';
import { addOperatorServices } from './services.ts';
import { Subscribers } from './subscribers.ts';
import { StreamSession, type Session, type SessionHost, type XdsCall } from './session.ts';
import { NO_RELEASE, type NodeIdentity, type Rejection, type StreamAction } from './stream/types.ts';

export interface XdsServerOptions {
  readonly settings: Omit<XdsSettings, 'ackTimeoutMs' | 'quorum'>;
  readonly limits?: XdsLimits;
  /** Dotted keys of node.metadata that nodes are chosen by. Default: none. */
  readonly metadataKeys?: readonly string[];
  /** Called with every action of every stream, in order and never nested: it may call `offer`. */
  readonly onAction: (session: Session, action: StreamAction) => void;
  /** No node can have been poisoned by a push of an earlier process. Default: false. */
  readonly trustsClaims?: boolean;
  /** Takes the nodes' load reports. Default: they are not kept. */
  readonly onLoad?: LoadSink;
  /** An internal error ended one stream. */
  readonly onFailure?: (peer: string, error: unknown) => void;
  /** A stream of any service was refused, or ended before it had a node: over a limit, or silent. */
  readonly onRefusal?: (peer: string, reason: string) => void;
  /** See FileCredentialsOptions. */
  readonly onTlsReload?: (error: Error | null) => void;
  /** How often the TLS files are read again. Default: 5 s. */
  readonly tlsReloadMs?: number;
}

const NO_LOAD: LoadSink = { open: () => undefined, close: () => undefined, add: () => undefined };

/** How long `drain` waits for unanswered pushes. */
const ANSWER_MOMENT_MS = 2_000;
const POLL_MS = 20;

/** The xDS server: SotW and delta, per type and aggregated; with load reports, health, reflection and CSDS. */
export class XdsServer {
  readonly #options: XdsServerOptions;
  readonly #server: Server;
  readonly #health: Health;
  readonly #gate: Gate;
  readonly #sessions = new Set<StreamSession>();
  /** Sessions with an authorized node: each counts against `max_streams`. */
  readonly #admitted = new Set<StreamSession>();
  readonly #subscribers = new Subscribers();
  readonly #loadReports: LoadReports;
  readonly #doubts: Doubts;
  readonly #host: SessionHost;
  readonly #deliver: (item: { session: StreamSession; action: StreamAction }) => void;
  /** Sent while there is no release: without an answer, Envoy would wait 15 s for its first layer. */
  readonly #nothing: EncodedRelease;
  #aim: Aim;
  #tls: FileCredentials | null = null;
  #opened = 0;
  #draining = false;

  constructor(options: XdsServerOptions) {
    const { settings, limits = defaultXdsLimits, onAction, metadataKeys = [] } = options;
    const { resource } = settings;
    this.#options = options;
    this.#doubts = new Doubts(options.trustsClaims ?? false);
    this.#nothing = encodedRuntime(NO_RELEASE, resource, encodeRuntime(new Map(), resource));
    this.#aim = createAim(0, this.#nothing);
    this.#deliver = createDelivery(
      ({ session, action }) => onAction(session, action),
      (error, { session }) => session.fail(error),
    );
    const { onFailure = () => undefined, onRefusal = () => undefined, onLoad: sink = NO_LOAD } = options;
    this.#host = {
      resource,
      limits,
      admit: (session, call, node) => this.#admit(session, call, node),
      isTrusted: (nodeId) => this.#doubts.isTrusted(nodeId) && !this.#subscribers.has(nodeId),
      onAction: (session, action) => this.#onAction(session, action),
      onFailure,
    };
    this.#gate = new Gate({ limits, maxPerClient: settings.maxStreamsPerClient, onRefusal });
    this.#server = createGrpcServer({ settings, limits, gate: this.#gate, metadataKeys }, (call, kind) =>
      this.#accept(call, kind),
    );
    this.#loadReports = new LoadReports({
      ...{ limits, sink, onFailure, onRefusal },
      refuse: (call, nodeId, open) => this.#refuse(call, nodeId, { kind: 'streams of load reports', open }),
      ownerOf: (nodeId, client) => this.#ownerOf(nodeId, client),
      isDraining: () => this.#draining,
    });
    this.#loadReports.addTo(this.#server);
    const fleet = {
      resource,
      sessions: () => this.#sessions,
      target: (node: NodeIdentity) => targetFor(this.#aim, node).version,
    };
    this.#health = addOperatorServices(this.#server, fleet, onFailure);
  }

  /**
   * Starts to listen. Resolves to the port; rejects with the system's error when it can't, or when the TLS files can't be used.
   */
  async listen(): Promise<number> {
    const { settings, onTlsReload = () => undefined, tlsReloadMs: reloadMs } = this.#options;
    if (settings.tls !== null)
      this.#tls = await loadCredentials({ tls: settings.tls, onReload: onTlsReload, ...(reloadMs && { reloadMs }) });
    const port = await bind(this.#server, settings, this.#tls?.credentials ?? ServerCredentials.createInsecure());
    return port;
  }

  /** Sets the status that grpc.health.v1 reports. */
  setHealth(isServing: boolean): void {
    this.#health.set(isServing && !this.#draining);
  }

  /**
   * Sets the release for all nodes, but for those of the `wave`; null: there is none. Offering a version again sends it to nodes that
   * refused it.
   */
  offer(release: EncodedRelease | null, wave: WaveOffer | null = null): void {
    this.#setAim(createAim(this.#aim.rest.seq + 1, release ?? this.#nothing, wave));
  }

  /** Sends nothing, not even an empty layer, until the next offer. */
  withhold(): void {
    const { rest } = createAim(this.#aim.rest.seq + 1, this.#nothing);
    this.#setAim({ rest: { ...rest, withheld: true }, wave: null });
  }

  /** `withhold` was called, and nothing was offered since. */
  get isWithheld(): boolean {
    return this.#aim.rest.withheld === true;
  }

  /** The open streams, in the order they connected; a stream has no node before its first message. */
  sessions(): Iterable<Session> {
    return this.#sessions;
  }

  /** Another stream subscribes to the configured resource under the same node.id. */
  isDuplicate({ node, member }: Session): boolean {
    return member && node !== null && this.#subscribers.isDuplicate(node.id);
  }

  /** How often nodes report their load. */
  setLoadInterval(ms: number): void {
    this.#loadReports.setInterval(ms);
  }

  /** Open streams of load reports. */
  get loadStreams(): number {
    return this.#loadReports.streams;
  }

  /** Takes no new streams, waits a moment for unanswered pushes, and ends every stream with UNAVAILABLE. Takes `ms` at most. */
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

  #setAim(aim: Aim): void {
    this.#aim = aim;
    for (const session of this.#sessions) session.offer(targetFor(this.#aim, session.node));
  }

  async #answered(deadline: number): Promise<void> {
    while (Date.now() < deadline && [...this.#sessions].some((session) => session.unanswered)) await sleep(POLL_MS);
  }

  #accept(call: XdsCall, kind: StreamKind): void {
    this.#opened += 1;
    const session = new StreamSession({
      ...kind,
      id: String(this.#opened) as SessionId,
      call,
      target: this.#aim.rest,
      host: this.#host,
    });
    if (this.#draining) return session.close(status.UNAVAILABLE, SHUTTING_DOWN);
    this.#sessions.add(session);
    call.once('close', () => {
      this.#sessions.delete(session);
      this.#admitted.delete(session);
      if (session.doubt !== null) this.#doubts.close(session.doubt);
    });
  }

  /** Why this node may not have a stream, or null. Only authorized streams count as open. */
  #refuse(
    call: Parameters<typeof authorizeBySan>[1],
    nodeId: string,
    { kind, open }: { kind: string; open: number },
  ): Rejection | null {
    const { tls, maxStreams } = this.#options.settings;
    const denied = authorizeBySan(tls?.san ?? null, call, nodeId);
    if (denied !== null) return { code: 'PERMISSION_DENIED', message: denied };
    if (open < maxStreams) return null;
    const message = `the server may have at most ${maxStreams} ${kind} (xds.max_streams)`;
    return { code: 'RESOURCE_EXHAUSTED', message };
  }

  #admit(session: StreamSession, call: XdsCall, node: NodeIdentity): Rejection | null {
    const refused = this.#refuse(call, node.id, { kind: 'streams', open: this.#admitted.size });
    if (refused !== null) return refused;
    this.#admitted.add(session);
    session.doubt = this.#doubts.open(node.id);
    if (this.#aim.wave !== null) session.offer(targetFor(this.#aim, node));
    return null;
  }

  #onAction(session: StreamSession, action: StreamAction): void {
    if (action.type === 'joined') this.#subscribers.add(session.node?.id ?? '', session.client);
    if (action.type === 'left') this.#subscribers.remove(session.node?.id ?? '', session.client);
    updateDoubt(session, action);
    this.#deliver({ session, action });
  }

  /** With `san` the certificate proves which node it is; else a node's reports have to come from where its xDS stream comes from. */
  #ownerOf(nodeId: string, client: string | null): 'node' | 'stranger' | 'nobody' {
    if (!this.#subscribers.has(nodeId)) return 'nobody';
    const isProven = (this.#options.settings.tls?.san ?? null) !== null;
    return isProven || this.#subscribers.isOf(nodeId, client) ? 'node' : 'stranger';
  }
}

/** A push puts the node in doubt, an ACK ends that. */
function updateDoubt({ doubt }: StreamSession, { type }: StreamAction): void {
  if (doubt === null) return;
  if (type === 'send' || type === 'send_absent') doubt.inDoubt = true;
  if (type === 'acked') doubt.inDoubt = false;
}
