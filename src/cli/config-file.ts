import { open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ShardConfig } from '../config/config.ts';
import type { Diagnostic } from '../config/diagnostic.ts';
import { editCustomers, type CustomerChange } from '../config/edit.ts';
import { Judge } from '../judge/judge.ts';
import { readSchema } from '../settings/load.ts';
import type { Settings } from '../settings/settings.ts';
import { pathOfSaved } from './clone.ts';
import { CliError } from './exit.ts';
import { printDiagnostics } from './print-diagnostics.ts';
import { readConfig } from './read-config.ts';

/** The config on disk, valid. */
export interface ConfigFile {
  /** As it was named. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly config: ShardConfig;
}

/** Reads the settings' config, or the named file. Draws the faults of one that is not valid. Throws CliError. */
export async function readConfigFile(file: string | undefined, settings: Settings): Promise<ConfigFile> {
  const path = file ?? (await pathOfSaved(settings.repository));
  // what standard input has can't be written back
  const bytes = readConfig(path === '-' ? './-' : path, { exitCode: 2 });
  const read = await judge(bytes, path, settings);
  if ('config' in read) return { path, bytes, config: read.config };
  printDiagnostics(read.diagnostics, bytes);
  throw new CliError(`${path} is not valid`, { hint: 'mend it first: shardplane check says the same' });
}

type Judged = { readonly config: ShardConfig } | { readonly diagnostics: readonly Diagnostic[] };

/** What the daemon would make of these bytes. */
export async function judge(bytes: Uint8Array, file: string, { repository }: Settings): Promise<Judged> {
  await using reader = new Judge({ file, validate: readSchema(repository.schema) });
  const judged = await reader.release(bytes, { version: '0'.repeat(40), subject: '' });
  return judged.release === null ? { diagnostics: judged.diagnostics } : { config: judged.release.config };
}

/** The file with these changes, not written yet: valid, and `isAsMeant`. Throws CliError. */
export async function editConfig(
  { path, bytes }: ConfigFile,
  changes: ReadonlyMap<string, CustomerChange>,
  { settings, isAsMeant }: { settings: Settings; isAsMeant: (config: ShardConfig) => boolean },
): Promise<ConfigFile> {
  const edited = editCustomers(bytes, changes);
  if (edited === null) throw notChangeable(path);
  const read = await judge(edited, path, settings);
  if ('diagnostics' in read) {
    printDiagnostics(read.diagnostics, edited);
    throw new CliError(`with this change ${path} would not be valid`, { hint: 'nothing was written' });
  }
  if (!isAsMeant(read.config)) throw notChangeable(path);
  return { path, bytes: edited, config: read.config };
}

function notChangeable(path: string): CliError {
  return new CliError(`${path} is written in a way that this command can't change`, {
    hint: 'nothing was written: change it by hand',
  });
}

/**
 * Replaces the file at once: another one is written beside it, flushed, and renamed. Its mode stays; of a symbolic link, what it points
 * to is replaced. Throws CliError when it is no longer what was read.
 */
export async function replaceFile(
  { path, bytes }: Pick<ConfigFile, 'path' | 'bytes'>,
  edited: Uint8Array,
): Promise<void> {
  const target = await realpath(path);
  const { mode } = await stat(target);
  const beside = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  try {
    await writeAll(beside, edited, mode);
    if (!(await readFile(target)).equals(bytes))
      throw new CliError(`${path} was changed meanwhile`, { hint: 'nothing was written: try again' });
    await rename(beside, target);
  } finally {
    await rm(beside, { force: true });
  }
  await flushFolder(dirname(target));
}

async function writeAll(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    await file.chmod(mode & 0o7777); // the umask does not count
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
