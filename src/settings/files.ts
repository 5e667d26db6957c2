import { accessSync, constants, statSync } from 'node:fs';
import type { Fault, Path } from '../config/fault.ts';
import type { SettingsOverrides } from './settings.ts';
import { fault } from './fault.ts';
import type { SettingsFile } from './to-settings.ts';

/** Files that the daemon needs and can't read: found at start-up, not when a commit or a webhook arrives. */
export function fileFaults(
  file: SettingsFile,
  fromHome: (path: string) => string,
  overrides: SettingsOverrides,
): Fault[] {
  const { repository, xds, status, http } = file;
  const remote = overrides.repository ? null : repository.remote;
  const named: [Path, string | null | undefined][] = [
    [['repository', 'verify', 'gpg_keyring'], repository.verify.gpg_keyring],
    [['repository', 'verify', 'ssh_allowed_signers'], repository.verify.ssh_allowed_signers],
    [['repository', 'remote', 'credentials_file'], remote?.credentials_file],
    [['repository', 'remote', 'ssh_key'], remote?.ssh_key],
    [['repository', 'remote', 'ssh_known_hosts'], remote?.ssh_known_hosts],
    [['repository', 'remote', 'ca'], remote?.ca],
    [['repository', 'remote', 'fsck_skip_list'], remote?.fsck_skip_list],
    [['xds', 'tls', 'certificate'], xds.tls?.certificate],
    [['xds', 'tls', 'key'], xds.tls?.key],
    [['xds', 'tls', 'client_ca'], xds.tls?.client_ca],
    [['status', 'token_file'], status?.token_file],
    ...Object.entries(http.webhooks).map(([sender, path]): [Path, string | null] => [
      ['http', 'webhooks', sender],
      path,
    ]),
  ];
  return named.flatMap(([path, name]) => {
    const reason = name == null ? null : whyUnreadable(fromHome(name));
    return reason === null
      ? []
      : [
          fault(
            path,
            `${path.join('.')}: ${reason}`,
            'make it, or take the setting out; paths are relative to the folder of the settings (docs/settings.md)',
          ),
        ];
  });
}

function whyUnreadable(path: string): string | null {
  try {
    if (statSync(path).isDirectory()) return `${path} is a directory`;
    accessSync(path, constants.R_OK);
    return null;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return `there is no file ${path}`;
    return code === 'EACCES' ? `${path} may not be read by this user` : `${path} can't be read: ${message}`;
  }
}
