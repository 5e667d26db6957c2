import type { Command } from 'commander';
import { Daemon } from '../daemon.ts';
import { createLog } from '../daemon/log.ts';
import type { Logger } from '../daemon/log.ts';
import type { SettingsFlags } from './options.ts';
import { settingsOf, withSettings } from './options.ts';

/** After this long a shutdown is cut short. */
const shutdownMs = 10_000;

/** `shardplane serve`: runs until SIGTERM or SIGINT. */
export function defineServe(program: Command): void {
  withSettings(program.command('serve'))
    .description('run the daemon: follow the repository, push each commit to the Envoys')
    .action(async (flags: SettingsFlags) => {
      const settings = settingsOf(flags);
      const log = createLog(settings.log, process.stderr);
      const daemon = new Daemon(settings, log);
      await daemon.start();
      await untilSignal(daemon, log);
    });
}

async function untilSignal(daemon: Daemon, log: Logger): Promise<void> {
  process.on('SIGHUP', () => {
    log.info('SIGHUP: looking at the repository now');
    void daemon.sync();
  });
  const signal = await new Promise<string>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  log.info(`${signal}: shutting down`);
  const timer = setTimeout(() => {
    log.warn(`not down after ${shutdownMs / 1000} s: ending now`);
    process.exit(1);
  }, shutdownMs);
  process.once('SIGINT', () => process.exit(130)); // Ctrl-C twice
  await daemon.stop();
  clearTimeout(timer);
}
