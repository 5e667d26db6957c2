import { join } from 'node:path';
import { openRepository } from '../git/read/repository.ts';
import type { RepositorySettings } from '../settings/settings.ts';

/** Where a person has the file: with a remote in the settings, the clone that the command is run in. */
export function cloneOf({ remote, path }: RepositorySettings): string {
  return remote === null ? path : process.cwd();
}

/** The config as it is saved there; outside of a repository, below the folder. */
export async function pathOfSaved(settings: RepositorySettings): Promise<string> {
  const folder = cloneOf(settings);
  const repository = await openRepository(folder).catch(() => null);
  return join(repository?.topLevel ?? folder, settings.file);
}
