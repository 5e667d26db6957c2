import type { Command } from 'commander';
import type { SettingsFlags } from './options.ts';
import { settingsOf, withSettings } from './options.ts';

/** `shardplane serve`: runs until SIGTERM or SIGINT. */
export function defineServe(program: Command): void {
  withSettings(program.command('serve'))
    .description('run the daemon: follow the repository, push each commit to the Envoys')
    .action(async (flags: SettingsFlags) => {
      const settings = settingsOf(flags, { files: true });
      // Imported here: loading the daemon would double the run time of every other command.
      const { runDaemon } = await import('./run-daemon.ts');
      await runDaemon(settings);
    });
}
