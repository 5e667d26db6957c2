import { execFile } from 'node:child_process';
import process from 'node:process';

/** What the service manager is told (sd_notify(3)). Without a service manager, nothing is done. No method throws. */
export interface Notifier {
  /** The first release is served, or a reload is over. */
  ready(): void;
  /** One line for `systemctl status`, e.g. the short SHA and acked n/m. */
  status(text: string): void;
  /** A reload has begun (SIGHUP); `ready` ends it. */
  reloading(): void;
  /** The end has begun. Resolves when the manager knows, or could not be told. */
  stopping(): Promise<void>;
}

/** Statuses follow each other no faster than this: each costs a process. */
const statusEveryMs = 500;
/** Before READY the manager is told this often that the daemon lives and waits: without a valid commit, there is no first release. */
const waitingEveryMs = 20_000;
const waitingExtendsUs = 60_000_000;
/** States that wait to be sent; more are a storm of reloads, whose oldest say nothing new. */
const statesAtMost = 16;
/** systemd answers within milliseconds; a manager that is being re-executed takes longer. */
const timeoutMs = 10_000;

/**
 * Talks to the service manager that started this process, if one did and listens (`$NOTIFY_SOCKET`). Sends heartbeats by itself:
 * EXTEND_TIMEOUT_USEC until it is ready, then WATCHDOG=1 where the unit has `WatchdogSec=`.
 * @param onProblem told once, in words, when messages can't be sent.
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

/** Milliseconds between two heartbeats: a third of what the manager waits for, so that one may be late. Null: it does not watch us. */
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
  #saidProblem = false;
  /** Messages go one after the other: each is a process, and the manager must not see them in another order. */
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

  /** The newest one wins, and goes along with a state that is sent meanwhile. */
  status(text: string): void {
    this.#status = `STATUS=${text.replaceAll(/\s+/g, ' ')}`;
    this.#statusTimer ??= setTimeout(() => {
      this.#statusTimer = null;
      if (this.#status !== null) this.#post([]);
    }, statusEveryMs).unref();
  }

  reloading(): void {
    // CLOCK_MONOTONIC: by it the manager tells this reload from one before.
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
      this.#say(error);
    }
  }

  #say(error: unknown): void {
    if (this.#saidProblem) return;
    this.#saidProblem = true;
    const cause = error instanceof Error ? error.message : String(error);
    this.#onProblem(
      `the service manager can not be told how this service is: ${cause}; is systemd-notify installed, and NotifyAccess=all set?`,
    );
  }
}

/**
 * Sends one message of assignments (`READY=1`) to the service manager at `$NOTIFY_SOCKET`. Node has no datagram Unix sockets; systemd's own
 * tool knows path and abstract ones, and stays until the manager has read the message: it looks up whose it is by the sender's process.
 * Rejects with words when that fails, or takes 10 s.
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
