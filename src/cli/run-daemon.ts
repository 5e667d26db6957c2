import { setTimeout as sleep } from 'node:timers/promises';
import { openDaemon } from '../daemon/daemon.ts';
import type { Daemon } from '../daemon/daemon.ts';
import { Inbox } from '../daemon/inbox.ts';
import { createLog } from '../daemon/log.ts';
import type { Logger } from '../daemon/log.ts';
import type { Report } from '../daemon/report.ts';
import { startHelper } from '../git/exec/helper.ts';
import { short } from '../release/short.ts';
import { secretsOf } from '../settings/secrets-of.ts';
import type { Settings } from '../settings/settings.ts';
import { createNotifier } from '../systemd/notify.ts';
import type { Notifier } from '../systemd/notify.ts';

/** A shutdown that takes longer is forced. */
const shutdownMs = 10_000;
/** How much of that may go into telling the service manager. */
const notifyMs = 1_000;

/** Runs the daemon until SIGTERM or SIGINT. Throws an error for the operator when it can't start. */
export async function runDaemon(settings: Settings): Promise<void> {
  startHelper();
  const secrets = secretsOf(settings);
  const log = createLog(settings.log, process.stderr, secrets.redact);
  const notifier = createNotifier((words) => log.warn(words));
  const reports = new Inbox<Report>();
  const daemon = await openDaemon(settings, log, { secrets, onReport: reports.put });
  const service = createService(daemon, notifier);
  reports.open(() => service.update());
  await daemon.start().catch(async (error: unknown) => {
    // What has started already would keep the process alive.
    await daemon.stop();
    throw error;
  });
  service.update();
  process.on('SIGHUP', () => void service.reload());
  await untilSignal(log);
  await stop(daemon, notifier);
}

/** Ready once a release is served and the port listens; from then on the status line follows the fleet. */
function createService(daemon: Daemon, notifier: Notifier): { update(): void; reload(): Promise<void> } {
  let ready = false;
  notifier.status('waits for a first valid commit');
  const update = (): void => {
    const { live } = daemon.parts.fleet;
    if (live === null || !daemon.listening) return;
    const { acked, connected } = daemon.parts.fleet.counts();
    notifier.status(`live ${short(live.version)}, acknowledged by ${acked} of ${connected}`);
    if (!ready) notifier.ready();
    ready = true;
  };
  const reload = async (): Promise<void> => {
    daemon.parts.log.info({ event: 'reload' }, 'SIGHUP: looking at the repository now');
    if (ready) notifier.reloading();
    await daemon.sync();
    if (ready) notifier.ready();
  };
  return { update, reload };
}

async function untilSignal(log: Logger): Promise<void> {
  const signal = await new Promise<string>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  log.info({ event: 'stopping' }, `${signal}: shutting down`);
}

async function stop(daemon: Daemon, notifier: Notifier): Promise<void> {
  const timer = setTimeout(() => {
    daemon.parts.log.warn(`not down after ${shutdownMs / 1000} s: ending now`);
    process.exit(1);
  }, shutdownMs);
  process.once('SIGINT', () => process.exit(130)); // Ctrl-C twice
  await Promise.all([Promise.race([notifier.stopping(), sleep(notifyMs, undefined, { ref: false })]), daemon.stop()]);
  clearTimeout(timer);
}
