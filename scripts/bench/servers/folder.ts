import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadSettings } from '../../../src/settings/load.ts';
import type { Settings } from '../../../src/settings/settings.ts';
import { repositoryAt, temporaryFolder, type TestRepository } from '../../../test/helpers/git.ts';

/** A temporary folder with everything that a daemon needs, removed at the end. */
export interface DaemonFolder extends AsyncDisposable {
  readonly path: string;
  /** An empty git repository, on branch `main`. */
  readonly repository: Omit<TestRepository, typeof Symbol.asyncDispose>;
  /** Path of the settings file; ports are free ones of 127.0.0.1. */
  readonly config: string;
  readonly settings: Settings;
}

/** Creates the folder. `log`: level of the daemon's log, which is JSON; `notes`: the setting repository.notes. */
export async function daemonFolder({ log = 'info', notes = 'off' } = {}): Promise<DaemonFolder> {
  const folder = await temporaryFolder();
  const checkout = join(folder.path, 'repository');
  await mkdir(checkout);
  const repository = repositoryAt(checkout);
  await repository.git('init', '--quiet', '--initial-branch=main');
  const config = join(folder.path, 'shardplane.yaml');
  const settings = [
    `repository: {path: ${checkout}, notes: ${notes}}`,
    'xds: {address: 127.0.0.1, port: 0, max_streams_per_client: 10000}',
    'http: {address: 127.0.0.1, port: 0}',
    `state: {directory: ${join(folder.path, 'state')}}`,
    `log: {level: ${log}, format: json}`,
  ];
  await writeFile(config, settings.join('\n'));
  return {
    path: folder.path,
    repository,
    config,
    settings: loadSettings(config),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
