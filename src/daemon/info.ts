import { parseRemoteUrl } from '../git/mirror/remote-url.ts';
import type { DaemonInfo } from '../http/api.ts';
import type { RepositorySettings, Settings } from '../settings/settings.ts';
import { readVersion } from '../version.ts';

/** The repository's path, or the remote's URL without secrets. Throws GitError for an invalid URL. */
export function nameRepository({ path, remote }: RepositorySettings): string {
  return remote === null ? path : parseRemoteUrl(remote.url).display;
}

/** Identifies this daemon; it does not change while it runs. */
export function describeDaemon(
  { repository, state }: Settings,
  ports: { readonly xdsPort: number; readonly httpPort: number },
): DaemonInfo {
  return {
    version: readVersion(),
    pid: process.pid,
    since: new Date().toISOString(),
    repository: nameRepository(repository),
    ref: repository.ref,
    file: repository.file,
    stateDirectory: state.directory,
    ...ports,
  };
}
