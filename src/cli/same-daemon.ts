import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { nameRepository } from '../daemon/info.ts';
import type { DaemonInfo } from '../http/api.ts';
import { defaultSettingsPaths } from '../settings/load.ts';
import type { Settings } from '../settings/settings.ts';
import { CliError } from './exit.ts';
import type { SettingsFlags } from './options.ts';

interface Meant {
  readonly settings: Settings;
  readonly flags: SettingsFlags;
  /** Where it answered, for messages. */
  readonly where: string;
  /** It was found by the default port alone, so it may be anybody's. */
  readonly isGuess: boolean;
}

/** Throws CliError when the daemon that answered is not the one that the settings and flags mean. */
export function checkDaemon(daemon: DaemonInfo, { settings, flags, where, isGuess }: Meant): void {
  const { repository } = settings;
  const isNamed = hasSettingsFile(flags) || isGuess;
  const differences = [
    (isNamed || flags.repository !== undefined) && isOther(nameRepository(repository), daemon.repository),
    (isNamed || flags.ref !== undefined) && repository.ref !== daemon.ref,
    (isNamed || flags.file !== undefined) && repository.file !== daemon.file,
  ];
  if (differences.some(Boolean))
    throw another(
      `the daemon at ${where} follows ${follows(daemon)}, not ${follows({ ...repository, repository: nameRepository(repository) })}`,
    );
  if (flags.state !== undefined && realOf(settings.state.directory) !== realOf(daemon.stateDirectory))
    throw another(`the daemon at ${where} has --state ${daemon.stateDirectory}, not ${settings.state.directory}`);
  for (const [flag, asked, has] of [
    ['--http-port', flags.httpPort, daemon.httpPort],
    ['--xds-port', flags.xdsPort, daemon.xdsPort],
  ] as const)
    if (asked !== undefined && asked !== 0 && asked !== has)
      throw another(`the daemon at ${where} has ${flag} ${has}, not ${asked}`);
}

/** A daemon's repository, ref and file, as git writes them. */
export function follows({ repository, ref, file }: Pick<DaemonInfo, 'repository' | 'ref' | 'file'>): string {
  return `${repository}  ${ref}:${file}`;
}

function another(message: string): CliError {
  return new CliError(message, {
    hint: 'name the one that is meant by its --state directory or its --http-port; the other flags as it was started with',
  });
}

function hasSettingsFile(flags: SettingsFlags): boolean {
  return flags.config !== undefined || defaultSettingsPaths.some((path) => existsSync(path));
}

function isOther(ours: string, its: string): boolean {
  return ours !== its && topOf(ours) !== topOf(its);
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // missing, or not readable
  }
}

/** The repository that holds the path, with links resolved. */
function topOf(path: string): string {
  const real = realOf(path);
  for (let folder = real; folder !== dirname(folder); folder = dirname(folder))
    if (existsSync(join(folder, '.git'))) return folder;
  return real;
}
