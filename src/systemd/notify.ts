import { execFile } from 'node:child_process';
import process from 'node:process';

/** Tells the service manager (sd_notify(3)) of the daemon's state; does nothing without one. No method throws. */
export interface Notifier {
  /** The first release is served, or a reload has ended. */
  ready(): void;
  /** One line for `systemctl status`, e.g. the short SHA and acked n/m. */
  status(text: string): void;
  /** A reload has begun (SIGHUP); `ready` ends it. */
  reloading(): void;
  /** Shutdown has begun. Resolves when the manager was told, or could not be. */
  stopping(): Promise<void>;
}

/** The least time between two statuses: each costs a process. */
const statusEveryMs = 500;
/** How often to extend the start timeout before READY: it may be long until there is a first valid commit. */
const waitingEveryMs = 20_000;
const waitingExtendsUs = 60_000_000;
/** Bound on unsent states. More are a storm of reloads, of which the oldest are dropped. */
const statesAtMost = 16;
/** systemd takes milliseconds, but longer while it re-executes itself. */
const timeoutMs = 10_000;

/**
 * Talks to the service manager that started this process, if `$NOTIFY_SOCKET` names one. Sends heartbeats by itself:
 * EXTEND_TIMEOUT_USEC until it is ready, then WATCHDOG=1 where the unit has `WatchdogSec=`.
 * @param onProblem called once, with a message, when the manager can't be told.
 */
export function createNotifier(onProblem: (text: string) => void): Notifier {
  return process.env.NOTIFY_SOCKET ? new SystemdNotifier(onProblem) : silent;
}

const silent: Notifier = {
  ready: () => undefined,
  status: () => undefined,
  reloading: () => undefined,
  stopping: () => Promise.resolve(),
};

/** Milliseconds between two heartbeats: a third of the watchdog's timeout, so that one may be late. Null: there is no watchdog. */
export function watchdogMs(environment: Readonly<Record<string, string | undefined>>, pid: number): number | null {
  const { WATCHDOG_USEC: limit = '0', WATCHDOG_PID: watched = String(pid) } = environment;
  const us = Number(limit);
  return us > 0 && watched === String(pid) ? us / 3000 : null;
}

class SystemdNotifier implements Notifier {
  readonly #onProblem: (text: string) => void;
  readonly #watchdogMs = watchdogMs(process.env, process.pid);
  #states: string[][] = [];
  #status: string | null = null;
  #statusTimer: NodeJS.Timeout | null = null;
  #heart: NodeJS.Timeout | null = null;
  #ready = false;
  #isReported = false;
  /** Messages are sent one at a time: each is a process, and they must arrive in order. */
  #sending: Promise<void> = Promise.resolve();

  constructor(onProblem: (text: string) => void) {
    this.#onProblem = onProblem;
    this.#beat(waitingEveryMs, `EXTEND_TIMEOUT_USEC=${waitingExtendsUs}`);
  }

  ready(): void {
    if (!this.#ready) this.#beat(this.#watchdogMs, 'WATCHDOG=1');
    this.#ready = true;
    this.#post(['READY=1']);
  }

  /** The newest status wins, and is sent along with a state if one comes first. */
  status(text: string): void {
    this.#status = `STATUS=${text.replaceAll(/\s+/g, ' ')}`;
    this.#statusTimer ??= setTimeout(() => {
      this.#statusTimer = null;
      if (this.#status !== null) this.#post([]);
    }, statusEveryMs).unref();
  }

  reloading(): void {
    // CLOCK_MONOTONIC: lets the manager tell this reload from an earlier one
    this.#post(['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`]);
  }

  stopping(): Promise<void> {
    this.#beat(null, '');
    if (this.#statusTimer) clearTimeout(this.#statusTimer);
    this.#post(['STOPPING=1']);
    return this.#sending;
  }

  #beat(everyMs: number | null, message: string): void {
    if (this.#heart) clearInterval(this.#heart);
    this.#heart = everyMs === null ? null : setInterval(() => this.#post([message]), everyMs).unref();
  }

  #post(state: string[]): void {
    this.#states = [...this.#states, state].slice(-statesAtMost);
    this.#sending = this.#sending.then(() => this.#sendNext());
  }

  async #sendNext(): Promise<void> {
    const state = this.#states.shift();
    if (state === undefined) return;
    const message = this.#status === null ? state : [...state, this.#status];
    this.#status = null;
    try {
      await sendMessage(message);
    } catch (error) {
      this.#reportOnce(error);
    }
  }

  #reportOnce(error: unknown): void {
    if (this.#isReported) return;
    this.#isReported = true;
    const cause = error instanceof Error ? error.message : String(error);
    this.#onProblem(
      `the service manager can't be told the state of this service: ${cause}; is systemd-notify installed, and NotifyAccess=all set?`,
    );
  }
}

/**
 * Sends one message of assignments (`READY=1`) to the service manager at `$NOTIFY_SOCKET`. Node has no datagram Unix sockets; systemd's own
 * tool supports path and abstract ones, and stays until the manager has read the message, which looks up the sender's process.
 * Rejects when that fails, or takes 10 s.
 */
function sendMessage(assignments: readonly string[]): Promise<void> {
  const { NOTIFY_SOCKET, PATH } = process.env;
  const options = { env: { NOTIFY_SOCKET, PATH }, timeout: timeoutMs, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve, reject) => {
    execFile('systemd-notify', ['--', ...assignments], options, (error, _output, errors) => {
      if (error) reject(new Error(errors.trim() || error.message));
      else resolve();
    });
  });
}
