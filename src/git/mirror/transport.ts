import type { GitConfig } from '../exec/environment.ts';
import { GitError, type GitErrorCode } from '../exec/git-error.ts';
import { explainMalformed, fsckConfig } from './fsck.ts';
import { readSettingFile } from '../read/regular-file.ts';
import { checkSshFiles, quote, sshCommand } from './ssh.ts';
import { parseRemoteUrl, type RemoteUrl } from './remote-url.ts';
import { GitExit, type RunOptions } from '../exec/run.ts';
import { blankUsers, type Secrets } from '../../secrets.ts';

/** How a remote is reached: `repository.remote` of the settings. */
export interface Remote {
  readonly url: string;
  readonly ref: string;
  /** A fetch or a push that takes longer is killed. */
  readonly timeoutMs: number;
  /** In the format of git-credential-store(1); re-read each time. */
  readonly credentialsFile: string | null;
  /** Ask the helpers of the user's own git config. */
  readonly credentialHelper: boolean;
  readonly sshKey: string | null;
  readonly sshKnownHosts: string | null;
  readonly proxy: string | null;
  readonly ca: string | null;
  /** A file with the SHAs of malformed objects to accept. */
  readonly fsckSkipList?: string | null;
}

/** How to run a git command that talks to the remote. */
export interface Transport {
  /** For the command line: contains no secret. */
  readonly url: string;
  readonly display: string;
  readonly run: Pick<RunOptions, 'config' | 'env' | 'inheritHelpers' | 'timeoutMs' | 'redact' | 'maxMemoryBytes'>;
}

/** A server that lists refs without end would fill the memory long before the time limit. */
const maxMemoryBytes = 1024 ** 3;

/**
 * How to talk to the remote safely: secrets go by environment to a credential helper that answers only `get` (so that git
 * never erases the operator's file after a refusal) and only for this host; ssh never prompts, and checks host keys; no
 * redirect is followed; and only transports that run no program are allowed. `secrets` is taught what is used.
 * Throws GitError `bad-url` or `bad-setting`.
 */
export async function toTransport(remote: Remote, secrets: Secrets): Promise<Transport> {
  const parsed = parseRemoteUrl(remote.url);
  secrets.learnUrl(remote.url);
  if (remote.proxy !== null) secrets.learnUrl(remote.proxy);
  for (const line of await readCredentials(remote.credentialsFile)) secrets.learnUrl(line);
  if (parsed.scheme === 'ssh') await checkSshFiles(remote);
  const env = {
    GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh',
    GIT_SSH_VARIANT: 'ssh',
    GIT_SSH_COMMAND: sshCommand(remote),
    SHARDPLANE_GIT_ORIGIN: parsed.origin,
    SHARDPLANE_GIT_USERNAME: parsed.username ?? '',
    SHARDPLANE_GIT_PASSWORD: parsed.password ?? '',
  };
  const fsck = fsckConfig(remote.fsckSkipList ?? null);
  const config = [...httpConfig(remote), ...credentialConfig(remote, parsed), ...fsck];
  const { redactCut: redact } = secrets;
  const { timeoutMs, credentialHelper: inheritHelpers } = remote;
  const run = { config, env, inheritHelpers, timeoutMs, redact, maxMemoryBytes };
  return { url: parsed.url, display: parsed.display, run };
}

function httpConfig({ timeoutMs, proxy, ca }: Remote): GitConfig {
  const seconds = String(Math.max(1, Math.ceil(timeoutMs / 1000)));
  const slow: GitConfig = [
    ['http.lowSpeedLimit', '1'],
    ['http.lowSpeedTime', seconds],
  ];
  return [
    ...slow,
    ['http.followRedirects', 'false'],
    ...(proxy === null ? [] : [['http.proxy', proxy] as const]),
    ...(ca === null ? [] : [['http.sslCAInfo', ca] as const]),
  ];
}

function credentialConfig({ credentialsFile }: Remote, { scheme, username, password }: RemoteUrl): GitConfig {
  const config: (readonly [string, string])[] = [];
  if (scheme !== 'http' && scheme !== 'https') return config;
  if (username !== null) config.push(['credential.username', username]);
  if (password !== null) {
    const isOurs = `p=; h=; while IFS== read -r k v; do case "$k" in protocol) p=$v;; host) h=$v;; esac; done; test "$p://$h" = "$SHARDPLANE_GIT_ORIGIN"`;
    const answer = `printf 'username=%s\\npassword=%s\\n' "$SHARDPLANE_GIT_USERNAME" "$SHARDPLANE_GIT_PASSWORD"`;
    config.push(['credential.helper', onGet(`${isOurs} || exit 0; ${answer}`)]);
  }
  if (credentialsFile !== null) {
    config.push(['credential.helper', onGet(`git credential-store --file=${quote(credentialsFile)} get`)]);
  }
  return config;
}

function onGet(command: string): string {
  return `!f() { test "$1" = get || exit 0; ${command}; }; f`;
}

async function readCredentials(path: string | null): Promise<string[]> {
  if (path === null) return [];
  const hint = 'see repository.remote.credentials_file in the settings';
  const bytes = await readSettingFile(path, { what: 'credentials file', limit: 64 * 1024, hint });
  return bytes.toString('utf8').split(/\r?\n/);
}

// What the messages of git, curl and ssh mean: the first match counts.
const meanings: readonly [pattern: RegExp, code: GitErrorCode, hint: string][] = [
  [
    /non-fast-forward|fetch first|stale info|incorrect old value|cannot lock ref/i,
    'remote-moved',
    'somebody else pushed meanwhile; it is tried again',
  ],
  [
    /host key verification failed|no \S+ host key is known/i,
    'remote-host-key',
    "put the server's key into repository.remote.ssh_known_hosts (ssh-keyscan shows it; compare it first)",
  ],
  [
    /authentication failed|could not read (username|password)|returned error: (401|403)|permission denied|terminal prompts disabled|access denied|invalid credentials/i,
    'remote-denied',
    'check credentials_file, credential_helper or ssh_key in repository.remote',
  ],
  [
    /could not open object name list|invalid object name:/i,
    'bad-setting',
    'repository.remote.fsck_skip_list is a file with a full SHA on each line',
  ],
  [
    /returned error: 3\d\d/i,
    'remote-redirects',
    'if the repository has moved, set repository.remote.url to its new address',
  ],
  [
    /(repository|path) .*(not found|does not exist)|returned error: 404|does not appear to be a git repository|no such file or directory/i,
    'remote-not-found',
    'check repository.remote.url',
  ],
  [
    /unable to access|empty reply|could not resolve|couldn't connect|failed to connect|connection (refused|reset|timed out|closed)|network is unreachable|no route to host|unable to connect|returned error: (429|5\d\d)|operation (timed out|too slow)|ssl|certificate|proxy/i,
    'remote-unreachable',
    'it is tried again; check the network, proxy and ca in repository.remote',
  ],
  [
    /protocol error|bad line length|not valid: is this a git|invalid index-pack|index-pack failed|early eof|fsck|bad object|bad pack|pack (is|has|signature)|unexpected|expected|unpack|hung up|remote end|remote error|disconnect|rpc failed|garbage|cannot obtain needed/i,
    'remote-garbage',
    'the server did not answer as a git server does; it is tried again',
  ],
];

/** Classifies the error of a fetch or push. Its message is free of secrets: see `redact` of {@link Transport.run}. */
export function explainTransport(error: unknown, { display }: Pick<Transport, 'display'>): unknown {
  if (!(error instanceof GitError)) return error;
  const words = blankUsers(error.message);
  if (!(error instanceof GitExit)) return new GitError(error.code, `${display}: ${words}`, error.hint);
  const malformed = explainMalformed(error.stderr, display);
  if (malformed !== null) return malformed;
  const [, code, hint] = meanings.find(([pattern]) => pattern.test(error.stderr)) ?? [null, error.code, null];
  return new GitError(code, `${display}: ${words}`, hint);
}
