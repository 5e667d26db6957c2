import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { hasColor } from '../terminal.ts';
import { CliError } from './exit.ts';
import { loadSettings } from '../settings/load.ts';
import type { Settings } from '../settings/settings.ts';

/** The flags that select a daemon or repository. */
export interface SettingsFlags {
  readonly config?: string;
  readonly repository?: string;
  readonly file?: string;
  readonly ref?: string;
  readonly xdsPort?: number;
  readonly httpPort?: number;
  readonly state?: string;
}

/** Adds the settings' flags to a subcommand. */
export function withSettings(command: Command): Command {
  return command
    .option('--config <file>', 'settings (default: config/shardplane.yaml or shardplane.yaml, if there is one)')
    .option('--repository <path>', 'the git repository')
    .option('--file <path>', 'the config inside the repository')
    .option('--ref <ref>', 'the ref to follow')
    .addOption(new Option('--xds-port <port>', 'the xDS port').argParser(toPort))
    .addOption(new Option('--http-port <port>', 'the HTTP port').argParser(toPort))
    .option('--state <directory>', 'the state directory');
}

/** `files`: check that the files which the settings name exist. Throws SettingsError. */
export function settingsOf(flags: SettingsFlags, options: { readonly files?: boolean } = {}): Settings {
  return loadSettings(flags.config ?? null, flags, options);
}

/** Adds `--json`. */
export function withJson(command: Command): Command {
  return command.option('--json', 'machine-readable output');
}

/** Whether standard output takes colour. */
export function useColor(): boolean {
  return hasColor(process.stdout);
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** A number from 1 up. Throws InvalidArgumentError, which commander reports as a usage error. */
export function toCount(text: string): number {
  if (/^[1-9][0-9]{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a number from 1 up.');
}

/** A commit as an operator names it: HEAD, or the first digits of its SHA. Throws CliError. */
export function toSha(text: string): string {
  if (text === 'HEAD') return text;
  if (/^[0-9a-f]{4,64}$/i.test(text)) return text.toLowerCase();
  throw new CliError(`${text} is not a commit’s SHA`, {
    exitCode: 2,
    hint: 'give 4 hex digits or more, as git log --oneline shows them, or HEAD for the newest revision',
  });
}

function toPort(text: string): number {
  const port = Number(text);
  if (/^[0-9]{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('It must be a port, from 0 to 65535.');
}
