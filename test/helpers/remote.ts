import type { Remote } from '../../src/git/mirror/transport.ts';

/** A remote of which only the URL is set. */
export function remoteAt(url: string, options: Partial<Remote> = {}): Remote {
  return {
    url,
    ref: 'main',
    timeoutMs: 20_000,
    credentialsFile: null,
    credentialHelper: false,
    sshKey: null,
    sshKnownHosts: null,
    proxy: null,
    ca: null,
    ...options,
  };
}
