import { join } from 'node:path';
import type { Logger } from 'pino';
import type { DaemonInfo } from '../http/api.ts';
import { startHttp } from '../http/http-server.ts';
import type { HttpServer } from '../http/http-server.ts';
import { isLoopback } from '../settings/loopback.ts';
import type { Settings } from '../settings/settings.ts';
import { within } from '../within.ts';
import { createApi } from './create-api.ts';
import { createParts } from './parts.ts';
import type { DaemonOptions, Parts } from './parts.ts';
import { readiness } from './readiness.ts';
import { serveRestored } from './restored.ts';
import { QuarantineWatch } from './quarantine.ts';
import { UnservedWatch } from './unserved.ts';

/** How long a start without a release waits for git before it listens. */
const firstLookMs = 3_000;
/** How much of the 10 s for a shutdown the streams may take. */
const drainMs = 8_000;

/** Reads the schema and the ledger. Rejects with SettingsError, LedgerError, and GitError for an invalid remote URL. */
export async function openDaemon(settings: Settings, log: Logger, options: DaemonOptions = {}): Promise<Daemon> {
  return new Daemon(await createParts(settings, log, options));
}

/** Starts and stops the daemon's parts. */
export class Daemon {
  readonly parts: Parts;
  /** Has the actual ports once they listen. */
  info: DaemonInfo;
  #http: HttpServer | null = null;
  #unserved: UnservedWatch | null = null;
  #quarantine: QuarantineWatch | null = null;

  constructor(parts: Parts) {
    this.parts = parts;
    this.info = parts.info;
  }

  /** Resolves to the ports when both listen; rejects with an error for the operator when one can't. */
  async start(): Promise<{ xdsPort: number; httpPort: number }> {
    const { settings, log, journal } = this.parts;
    await journal.flush(); // reports a ledger that can't be written
    await this.#serveStored();
    const xdsPort = await this.#listen();
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
        `xDS on ${settings.xds.address} accepts any client that can reach it, as xds.insecure allows: docs/xds.md explains xds.tls`,
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

  /** Looks at the repository now. */
  sync(): Promise<void> {
    return this.parts.follow.check();
  }

  /** Takes no new streams, waits a moment for unanswered pushes, then closes everything. */
  async stop(): Promise<void> {
    const { xds, controller, checks, presence, throttle, journal } = this.parts;
    await Promise.all([xds.drain(drainMs), this.#closeSource()]);
    await this.#http?.close();
    controller.close();
    checks.close();
    presence.close();
    this.#unserved?.close();
    this.#quarantine?.close();
    throttle.close();
    await journal.close();
  }

  /** Offers the stored release before git is read. Without one, waits a moment for git. */
  async #serveStored(): Promise<void> {
    const { fleet, follow } = this.parts;
    const { target } = fleet;
    serveRestored(this.parts);
    const firstLook = follow.start(() => fleet.target !== null);
    // A node that connected before git was read would get an empty layer.
    if (target === null) await within(firstLookMs, firstLook, () => undefined);
  }

  async #listen(): Promise<number> {
    const { settings, xds, problems, fleet } = this.parts;
    const xdsPort = await xds.listen();
    this.info = { ...this.info, xdsPort };
    xds.setHealth(readiness(this.parts).ready);
    const { resource } = settings.xds;
    this.#unserved = new UnservedWatch({ sessions: () => xds.sessions(), resource, problems, now: Date.now });
    this.#quarantine = new QuarantineWatch({
      config: () => fleet.live?.release.config ?? null,
      problems,
      now: Date.now,
    });
    return xdsPort;
  }

  async #closeSource(): Promise<void> {
    const { follow, judge, reporters } = this.parts;
    const closed = follow.close();
    await judge.close(); // waits for the config being read
    await closed;
    await Promise.all(reporters.map((reporter) => reporter.close()));
  }
}
