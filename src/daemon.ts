import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { toRolloutEvent } from './daemon/answers.ts';
import { createApi, readiness } from './daemon/api.ts';
import { createJudge, evaluate } from './daemon/evaluate.ts';
import { Fleet } from './daemon/fleet.ts';
import { Follow } from './daemon/follow.ts';
import { describeDaemon } from './daemon/info.ts';
import { Intake } from './daemon/intake.ts';
import type { Judged } from './daemon/intake.ts';
import { createOutlets } from './daemon/outlets.ts';
import type { Outlet } from './daemon/outlets.ts';
import { Journal } from './daemon/journal.ts';
import { isCalm, openStateDirectory } from './daemon/memory.ts';
import { Metrics } from './daemon/metrics.ts';
import { Presence } from './daemon/presence.ts';
import { Problems } from './daemon/problems.ts';
import { Record } from './daemon/record.ts';
import type { Report } from './daemon/record.ts';
import { Repeats } from './daemon/repeats.ts';
import { sayProblem } from './daemon/say.ts';
import { sayFailure, sayLeftOut, sayRefusal, sayStream } from './daemon/say-stream.ts';
import type { StreamLog } from './daemon/say-stream.ts';
import { Signatures } from './daemon/signatures.ts';
import { UnservedWatch } from './daemon/unserved.ts';
import { Texts } from './daemon/texts.ts';
import { RemoteSource } from './git/follow/remote-source.ts';
import type { Revision } from './git/read/revision.ts';
import type { DaemonInfo } from './http/api.ts';
import { startHttp } from './http/server.ts';
import type { HttpServer } from './http/server.ts';
import type { Judge } from './judge/judge.ts';
import type { Ledger, Restored } from './ledger/ledger.ts';
import type { RevisionFact, Standing } from './revisions/types.ts';
import type { RolloutAction } from './rollout/types.ts';
import { Secrets } from './secrets.ts';
import { isLoopback } from './settings/loopback.ts';
import type { Settings } from './settings/settings.ts';
import { XdsServer } from './xds/server.ts';
import type { Session } from './xds/session.ts';
import type { StreamAction } from './xds/stream/types.ts';
import { short } from './release/short.ts';

/** How long a first start waits for git before it listens without a release. */
const firstLookMs = 3_000;
/** Of the 10 s that shutting down may take, the streams' part. */
const drainMs = 8_000;

export interface DaemonOptions {
  /** Learns those that are used. */
  readonly secrets?: Secrets;
  /** Hears of each outcome. */
  readonly onReport?: (report: Report) => void;
}

/**
 * The one place that wires the parts. A change goes: git (follow) -> revisions -> fleet -> xds; the Envoys' answers go:
 * xds -> fleet -> record, which alone writes the log, the metrics and the ledger.
 */
export class Daemon {
  readonly settings: Settings;
  readonly log: Logger;
  readonly ledger: Ledger;
  readonly judge: Judge;
  readonly intake: Intake;
  readonly follow: Follow;
  readonly fleet: Fleet;
  readonly xds: XdsServer;
  readonly record: Record;
  readonly metrics: Metrics;
  readonly problems: Problems;
  readonly texts = new Texts();
  /** Its ports are known once they listen. */
  info: DaemonInfo;
  readonly #streamLog: StreamLog;
  readonly presence: Presence;
  readonly #journal: Journal;
  readonly #outlets: readonly Outlet[];
  #http: HttpServer | null = null;
  #unserved: UnservedWatch | null = null;

  /** Reads the schema and opens the ledger. Throws SettingsError, LedgerError, and GitError for a remote's URL. */
  constructor(
    settings: Settings,
    log: Logger,
    { secrets = new Secrets(), onReport = () => undefined }: DaemonOptions = {},
  ) {
    this.settings = settings;
    this.log = log;
    this.info = describeDaemon(settings, { xdsPort: settings.xds.port, httpPort: settings.http.port });
    this.judge = createJudge(settings);
    this.ledger = openStateDirectory(settings, log);
    const restored = this.ledger.restore();
    this.problems = new Problems({
      now: Date.now,
      say: (change, problem) => sayProblem(log, change, problem),
      redact: secrets.redact,
    });
    this.#journal = new Journal(this.ledger, (health) => this.#onLedgerHealth(health));
    this.metrics = this.#createMetrics();
    const repeats = new Repeats({ sayLeftOut: (...leftOut) => sayLeftOut(log, ...leftOut) });
    this.#streamLog = { log, repeats };
    this.record = this.#createRecord(restored, (report) => {
      for (const outlet of this.#outlets) outlet.report(report);
      onReport(report);
    });
    this.fleet = this.#createFleet(restored);
    this.presence = new Presence(log, (id) => this.fleet.isConnected(id));
    this.xds = new XdsServer({
      settings: settings.xds,
      onAction: (session, action) => this.#onStream(session, action),
      onTlsReload: (error) => this.#onTlsReload(error),
      trustsClaims: isCalm(this.ledger, restored),
      onFailure: (peer, error) => this.#onFailure(peer, error),
      onRefusal: (peer, reason) => this.#onRefusal(peer, reason),
    });
    const signatures = this.#createSignatures();
    this.intake = new Intake({
      guard: settings.repository.guard,
      evaluate: (revision) => evaluate(revision, this),
      verify: (version, standing) => signatures.check(version, standing),
      live: () => this.fleet.live?.release ?? null,
      wasLive: (release) => this.ledger.wasLive(release),
    });
    this.follow = new Follow({
      settings: settings.repository,
      log,
      judge: this.judge,
      problems: this.problems,
      intake: this.intake,
      memory: { taken: restored.tip, head: restored.head, accepted: restored.accepted },
      stateDirectory: settings.state.directory,
      secrets,
      fleet: this.fleet,
      journal: this.#journal,
      onFact: (fact) => this.#onRevision(fact),
      onNewest: ({ version, subject, content }) =>
        this.texts.set(version, { subject, source: 'bytes' in content ? content.bytes : null }),
      onJudged: (revision, judged, standing) => this.#onJudged(revision, judged, standing),
      onClosed: (version, before) => this.record.close(version, before),
    });
    this.#outlets = createOutlets({ settings, source: this.follow.source, problems: this.problems, secrets });
  }

  /** Serves. Resolves to the ports when both listen; throws with words when one can't. */
  async start(): Promise<{ xdsPort: number; httpPort: number }> {
    const { settings, log } = this;
    this.#journal.flush(); // a ledger that was opened in trouble is told of now
    const { target } = this.fleet;
    if (target)
      log.info(
        { event: 'restored', version: target.version },
        `serving ${short(target.version)} ${target.release.subject} from the ledger`,
      );
    this.xds.offer(target);
    const firstLook = this.follow.start();
    // A node that connects meanwhile would get an empty layer: git on this machine answers in a moment.
    if (target === null) await Promise.race([firstLook, sleep(firstLookMs, undefined, { ref: false })]);
    const xdsPort = await this.xds.listen();
    this.info = { ...this.info, xdsPort };
    this.#sayReadiness();
    this.#unserved = new UnservedWatch({
      sessions: () => this.xds.sessions(),
      resource: settings.xds.resource,
      problems: this.problems,
      now: Date.now,
    });
    this.#http = await startHttp({
      api: createApi(this),
      ...settings.http,
      secrets: settings.http.webhooks,
      controlSocket: join(settings.state.directory, 'control.sock'),
      warn: (message) => log.warn(message),
    });
    const { port: httpPort } = this.#http;
    this.info = { ...this.info, httpPort };
    if (!settings.xds.tls?.clientCa && !isLoopback(settings.xds.address))
      log.warn(
        `xDS on ${settings.xds.address} is open to whoever reaches it, as xds.insecure says: docs/xds.md has xds.tls`,
      );
    log.info(
      { event: 'listening' },
      `xDS on ${settings.xds.address}:${xdsPort}, status on http://${settings.http.address}:${httpPort}`,
    );
    return { xdsPort, httpPort };
  }

  /** Both ports are open. */
  get listening(): boolean {
    return this.#http !== null;
  }

  /** No new streams, a moment for what is unanswered, everything closed. */
  async stop(): Promise<void> {
    await Promise.all([this.xds.drain(drainMs), this.#closeSource()]);
    await this.#http?.close();
    this.fleet.close();
    this.presence.close();
    this.#unserved?.close();
    this.#streamLog.repeats.close();
    this.#journal.flush();
    this.ledger.close();
  }

  async #closeSource(): Promise<void> {
    const closed = this.follow.close();
    await this.judge.close(); // what is being read is waited for
    await closed;
    await Promise.all(this.#outlets.map((outlet) => outlet.close()));
  }

  /** What is told of now is on disk, as far as that can be written. */
  settle(): void {
    this.#journal.flush();
  }

  /** Looks at the repository now. */
  async sync(): Promise<void> {
    await this.follow.source.check();
  }

  /** Its words are needed for what is said of it. */
  #onJudged({ version, subject }: Revision, { verdict, source }: Judged, { isHead, isOvertaken }: Standing): void {
    this.texts.setJudged(version, { subject, source });
    if (isHead || (verdict.valid && !isOvertaken)) this.texts.set(version, { subject, source });
  }

  #onRevision(fact: RevisionFact): void {
    this.record.revision(fact);
    // No Envoy was emptied while git might have had a release.
    if (fact.type === 'nothing_found' && this.xds.isWithheld) this.xds.offer(null);
  }

  /** Carries out what the rollout wants: first what the Envoys are to get, then what is to be remembered. */
  #onRollout(action: RolloutAction): void {
    if (action.type === 'offer') this.#offer(action.version);
    const live = action.type === 'live' ? this.fleet.get(action.live?.version ?? null) : null;
    if (live) this.#journal.add({ type: 'release', release: live.release, resource: live.resource });
    this.record.action(action);
    if (action.type === 'live') this.#sayReadiness();
  }

  /** Nothing left to offer: no Envoy is emptied while git may have a release. */
  #offer(version: string | null): void {
    if (version !== null) return this.xds.offer(this.fleet.get(version));
    this.xds.withhold();
    setImmediate(() => this.follow.apply({ type: 'stranded' })); // the rollout's step comes to its end first
  }

  #onStream(session: Session, action: StreamAction): void {
    this.metrics.onStream(action);
    sayStream(this.#streamLog, session, action);
    const event = toRolloutEvent(session, action, Date.now());
    if (event) this.fleet.apply(event);
    this.presence.onStream(session, action);
  }

  /** A fault of the program on one stream: that stream has ended, the others go on. */
  #onFailure(peer: string, error: unknown): void {
    this.metrics.onStreamFailure();
    sayFailure(this.#streamLog, peer, error);
  }

  #onRefusal(peer: string, reason: string): void {
    this.metrics.onStreamRefusal();
    sayRefusal(this.#streamLog, peer, reason);
  }

  /** gRPC health says what /readyz says. */
  #sayReadiness(): void {
    this.xds.setHealth(readiness(this).ready);
  }

  #onTlsReload(error: Error | null): void {
    if (error === null) this.log.info('the TLS files have changed: new connections use them');
    const words = error && `the TLS files have changed and can't be used: ${error.message}`;
    this.problems.set('tls', words, 'the ones before stay in use');
  }

  #onLedgerHealth(health: Ledger['health']): void {
    this.problems.set('ledger', health.ok ? null : health.reason, 'it is tried again by itself');
    this.#sayReadiness();
  }

  /** Fails closed: while a signature can't be checked, git's event is not handled, and it is tried again. */
  #createSignatures(): Signatures {
    const { repository, state } = this.settings;
    return new Signatures({
      mode: repository.verify.mode,
      keys: { ...repository.verify, directory: join(state.directory, 'keys') },
      file: repository.file,
      repository: () => this.follow.source.repository,
      liveVersion: () => this.fleet.live?.version ?? null,
    });
  }

  #createMetrics(): Metrics {
    return new Metrics(() => ({
      counts: this.fleet.counts(),
      live: this.fleet.live,
      head: this.follow.head,
      backlog: this.follow.waiting,
      problems: this.problems.list().map(({ code }) => code),
      streams: [...this.xds.sessions()].length,
      pinned: this.fleet.pinned,
      fetchedAt: this.follow.source instanceof RemoteSource ? this.follow.source.fetchedAt : null,
      gone: this.presence.gone().length,
      muted: this.fleet.muted.size,
    }));
  }

  #createRecord(memory: Restored, report: (report: Report) => void): Record {
    return new Record({
      seq: memory.seq,
      head: () => this.follow.head,
      onStanding: (version, outcome, diagnostics) =>
        this.follow.apply({ type: 'decided', version, outcome, diagnostics }),
      outcomeBeforeHold: (version) => this.#journal.outcomeBeforeHold(version),
      isDecided: (version) => this.#journal.decided([version]).has(version),
      file: this.settings.repository.file,
      log: this.log,
      metrics: this.metrics,
      write: (entry) => this.#journal.add(entry),
      now: Date.now,
      counts: () => this.fleet.counts(),
      report,
      texts: this.texts,
      repeats: this.#streamLog.repeats,
    });
  }

  #createFleet(memory: Restored): Fleet {
    for (const { release } of memory.releases.values())
      this.texts.set(release.version, { subject: release.subject, source: null });
    return new Fleet({
      resource: this.settings.xds.resource,
      encoding: this.settings.release.encoding,
      ackTimeoutMs: this.settings.xds.ackTimeoutMs,
      quorum: this.settings.xds.quorum,
      memory,
      now: Date.now,
      carryOut: (action) => this.#onRollout(action),
      settled: (version, counts) => this.record.settled(version, counts),
    });
  }
}
