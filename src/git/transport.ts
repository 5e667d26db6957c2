import type { GitConfig } from './environment.ts';
import { GitError, type GitErrorCode } from './error.ts';
import { redactor, type Redact } from './redact.ts';
import { readRegularFile } from './regular-file.ts';
import { parseRemoteUrl, type RemoteUrl } from './remote-url.ts';
import { GitExit, type RunOptions } from './run.ts';

/** How a remote is reached: `repository.remote` of the settings. */
export interface Remote {
  readonly url: string;
  readonly ref: string;
  /** A fetch or a push that takes longer is ended. */
  readonly timeoutMs: number;
  /** Lines as git-credential-store(1) has them; read anew each time. */
  readonly credentialsFile: string | null;
  /** Ask the helpers of the user's own git config. */
  readonly credentialHelper: boolean;
  readonly sshKey: string | null;
  readonly sshKnownHosts: string | null;
  readonly proxy: string | null;
  readonly ca: string | null;
}

/** What a git command that talks to the remote is run with. */
export interface Transport {
  /** To be given on the command line: there is no secret in it. */
  readonly url: string;
  readonly display: string;
  readonly run: Pick<RunOptions, 'config' | 'env' | 'inheritHelpers' | 'timeoutMs'>;
  readonly redact: Redact;
}

/**
 * Makes ready to talk to the remote: secrets go by environment to a credential helper that answers `get` alone (so
 * that a refusal does not make git erase the operator's file), ssh asks nothing and checks host keys, and only
 * transports that run no program are let through. Throws GitError `bad-url` or `bad-setting`.
 */
export async function toTransport(remote: Remote): Promise<Transport> {
  const parsed = parseRemoteUrl(remote.url);
  const proxy = remote.proxy === null ? [] : secretsOf(remote.proxy);
  const own = parsed.password === null ? [] : [{ username: parsed.username, password: parsed.password }];
  const redact = redactor([...own, ...proxy, ...(await secretsInFile(remote.credentialsFile))]);
  const env = {
    GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh',
    GIT_SSH_VARIANT: 'ssh',
    GIT_SSH_COMMAND: sshCommand(remote),
    SHARDPLANE_GIT_USERNAME: parsed.username ?? '',
    SHARDPLANE_GIT_PASSWORD: parsed.password ?? '',
  };
  const config = [...httpConfig(remote), ...credentialConfig(remote, parsed)];
  const run = { config, env, inheritHelpers: remote.credentialHelper, timeoutMs: remote.timeoutMs };
  return { url: parsed.url, display: parsed.display, run, redact };
}

function httpConfig({ timeoutMs, proxy, ca }: Remote): GitConfig {
  const seconds = String(Math.max(1, Math.ceil(timeoutMs / 1000)));
  const slow: GitConfig = [
    ['http.lowSpeedLimit', '1'],
    ['http.lowSpeedTime', seconds],
  ];
  return [
    ...slow,
    ...(proxy === null ? [] : [['http.proxy', proxy] as const]),
    ...(ca === null ? [] : [['http.sslCAInfo', ca] as const]),
  ];
}

function credentialConfig({ credentialsFile }: Remote, { scheme, username, password }: RemoteUrl): GitConfig {
  const config: (readonly [string, string])[] = [];
  if (scheme !== 'http' && scheme !== 'https') return config;
  if (username !== null) config.push(['credential.username', username]);
  if (password !== null) {
    config.push([
      'credential.helper',
      onGet(`printf 'username=%s\\npassword=%s\\n' "$SHARDPLANE_GIT_USERNAME" "$SHARDPLANE_GIT_PASSWORD"`),
    ]);
  }
  if (credentialsFile !== null) {
    config.push(['credential.helper', onGet(`git credential-store --file=${quote(credentialsFile)} get`)]);
  }
  return config;
}

function onGet(command: string): string {
  return `!f() { test "$1" = get || exit 0; ${command}; }; f`;
}

function sshCommand({ sshKey, sshKnownHosts, timeoutMs }: Remote): string {
  const connect = Math.max(1, Math.ceil(timeoutMs / 1000));
  const always = [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    `ConnectTimeout=${connect}`,
    'ServerAliveInterval=10',
    'ServerAliveCountMax=3',
    'ControlMaster=no',
    'ControlPath=none',
    'ForwardAgent=no',
    'ClearAllForwardings=yes',
    'PermitLocalCommand=no',
  ];
  const hosts =
    sshKnownHosts === null
      ? []
      : [`UserKnownHostsFile=${sshOptionPath(sshKnownHosts)}`, 'GlobalKnownHostsFile=/dev/null'];
  const key = sshKey === null ? [] : [`IdentityFile=${sshOptionPath(sshKey)}`, 'IdentitiesOnly=yes'];
  return ['ssh', ...[...always, ...hosts, ...key].map((option) => `-o ${quote(option)}`)].join(' ');
}

/** ssh reads an option's value as words, and % and ~ in it as signs of its own. */
function sshOptionPath(path: string): string {
  if (/["%\n]|^~/.test(path))
    throw new GitError(
      'bad-setting',
      `ssh can't take the path ${JSON.stringify(path)}`,
      'name the file without " % and ~',
    );
  return `"${path}"`;
}

/** For a POSIX shell, which git runs these commands with. */
function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function secretsOf(url: string): { username: string; password: string }[] {
  const [, username = '', password = ''] = /^[^:]*:\/\/([^:@]*)(?::(.*))?@/.exec(url) ?? [];
  const decode = (text: string): string => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };
  return password === ''
    ? []
    : [
        { username: decode(username), password: decode(password) },
        { username, password },
      ];
}

async function secretsInFile(path: string | null): Promise<{ username: string; password: string }[]> {
  if (path === null) return [];
  const hint = 'see repository.remote.credentials_file in the settings';
  const file = await readRegularFile(path, 64 * 1024, { followLink: true }).catch((error: unknown) => {
    throw new GitError('bad-setting', `the credentials file ${path} can't be read: ${(error as Error).message}`, hint);
  });
  if (typeof file === 'string' || 'tooLarge' in file) {
    const why = file === 'missing' ? 'is not there' : 'is no file of at most 64 KiB';
    throw new GitError('bad-setting', `the credentials file ${path} ${why}`, hint);
  }
  return file.bytes.toString('utf8').split(/\r?\n/).flatMap(secretsOf);
}

// What git, curl and ssh say, and what it means: the first that matches counts.
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
    /protocol error|bad line length|not valid: is this a git|invalid index-pack|index-pack failed|early eof|fsck|bad object|bad pack|pack (is|has|signature)|unexpected|expected|unpack|hung up|remote end|remote error|disconnect|rpc failed|garbage/i,
    'remote-garbage',
    'the server did not answer as a git server does; it is tried again',
  ],
];

/** Says what a failed fetch or push means, without secrets. */
export function explainTransport(error: unknown, { display, redact }: Pick<Transport, 'display' | 'redact'>): unknown {
  if (!(error instanceof GitError)) return error;
  const words = redact(error.message);
  if (!(error instanceof GitExit)) return new GitError(error.code, `${display}: ${words}`, error.hint);
  const [, code, hint] = meanings.find(([pattern]) => pattern.test(error.stderr)) ?? [null, error.code, null];
  return new GitError(code, `${display}: ${words}`, hint);
}
