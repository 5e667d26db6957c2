import { resolve } from 'node:path';
import type { PlanLimits } from '../plan/limits.ts';
import { toMilliseconds } from './duration.ts';
import { toRollout, toShare } from './to-rollout.ts';
import type { RolloutFile } from './to-rollout.ts';
import type { RemoteSettings, RepositorySettings, Settings, SettingsOverrides, TlsSettings } from './settings.ts';

/** The file as schemas/settings.schema.json accepts it, with defaults filled in. */
export interface SettingsFile {
  repository: {
    path: string;
    file: string;
    ref: string;
    schema: string | null;
    poll: string;
    on_rewrite: RepositorySettings['onRewrite'] | null;
    notes: RepositorySettings['notes'] | null;
    guard: { customers: number; hosts: number };
    verify: { mode: 'none' | 'head' | 'all'; gpg_keyring: string | null; ssh_allowed_signers: string | null };
    remote: {
      url: string;
      ref: string;
      poll: string;
      jitter: number;
      timeout: string;
      credentials_file: string | null;
      credential_helper: boolean;
      ssh_key: string | null;
      ssh_known_hosts: string | null;
      proxy: string | null;
      ca: string | null;
      fsck_skip_list: string | null;
    } | null;
  };
  xds: {
    address: string | null;
    insecure: boolean;
    port: number;
    resource: string;
    ack_timeout: string;
    quorum: number;
    keepalive: string;
    max_streams: number;
    max_streams_per_client: number;
    max_connection_age: string;
    tls: { certificate: string; key: string; client_ca: string | null; san: string | null } | null;
  };
  release: Settings['release'];
  plan: { limits: { moved: string | null; twins: number | null; load: number | null } };
  rollout: RolloutFile;
  http: {
    address: string;
    port: number;
    hosts: string[];
    webhooks: Record<'github' | 'gitlab' | 'gitea' | 'generic', string | null>;
  };
  status: { provider: 'github' | 'gitlab' | 'gitea'; token_file: string; url: string; context: string } | null;
  state: { directory: string; keep: string; keep_revisions: number };
  log: Settings['log'];
}

interface Surroundings {
  /** The folder that paths in the file are relative to. */
  readonly home: string;
  readonly overrides: SettingsOverrides;
  /** $STATE_DIRECTORY, or null. */
  readonly stateDirectory: string | null;
}

/** Combines the file (which rules.ts has accepted), flags and environment. Paths in flags are relative to the working directory. */
export function toSettings(file: SettingsFile, { home, overrides, stateDirectory }: Surroundings): Settings {
  const fromHome = (path: string): string => resolve(home, path);
  return {
    repository: toRepository(file.repository, fromHome, overrides),
    xds: toXds(file.xds, fromHome, overrides.xdsPort),
    release: file.release,
    plan: { limits: toLimits(file.plan.limits) },
    rollout: toRollout(file.rollout),
    http: {
      address: file.http.address,
      port: overrides.httpPort ?? file.http.port,
      hosts: file.http.hosts,
      webhooks: mapValues(file.http.webhooks, (path) => optional(path, fromHome)),
    },
    status: file.status && {
      provider: file.status.provider,
      tokenFile: fromHome(file.status.token_file),
      url: file.status.url,
      context: file.status.context,
    },
    state: {
      directory: toStateDirectory(file.state.directory, { fromHome, overrides, stateDirectory }),
      keepMs: toMilliseconds(file.state.keep),
      keepRevisions: file.state.keep_revisions,
    },
    log: file.log,
  };
}

type FromHome = (path: string) => string;

/** The flag, else the first path of systemd's $STATE_DIRECTORY (separated by colons), else the file's. */
function toStateDirectory(path: string, from: Omit<Surroundings, 'home'> & { fromHome: FromHome }): string {
  if (from.overrides.state) return resolve(from.overrides.state);
  return from.stateDirectory?.split(':')[0] || from.fromHome(path);
}

function toRepository(
  file: SettingsFile['repository'],
  fromHome: FromHome,
  flags: SettingsOverrides,
): RepositorySettings {
  // a repository on the command line overrides the file's remote
  const remote = flags.repository || file.remote === null ? null : toRemote(file.remote, fromHome, flags.ref);
  return {
    path: flags.repository ? resolve(flags.repository) : fromHome(file.path),
    file: flags.file ?? file.file,
    ref: remote?.ref ?? flags.ref ?? file.ref,
    schema: optional(file.schema, fromHome),
    pollMs: toMilliseconds(file.poll),
    onRewrite: file.on_rewrite ?? (remote ? 'hold' : 'follow'),
    notes: file.notes ?? (remote ? 'off' : 'local'),
    guard: file.guard,
    verify: {
      mode: file.verify.mode,
      gpgKeyring: optional(file.verify.gpg_keyring, fromHome),
      sshAllowedSigners: optional(file.verify.ssh_allowed_signers, fromHome),
    },
    remote,
  };
}

function toRemote(
  file: NonNullable<SettingsFile['repository']['remote']>,
  fromHome: FromHome,
  ref: string | undefined,
): RemoteSettings {
  return {
    url: file.url,
    ref: ref ?? file.ref,
    pollMs: toMilliseconds(file.poll),
    jitter: file.jitter,
    timeoutMs: toMilliseconds(file.timeout),
    credentialsFile: optional(file.credentials_file, fromHome),
    credentialHelper: file.credential_helper,
    sshKey: optional(file.ssh_key, fromHome),
    sshKnownHosts: optional(file.ssh_known_hosts, fromHome),
    proxy: file.proxy,
    ca: optional(file.ca, fromHome),
    fsckSkipList: optional(file.fsck_skip_list, fromHome),
  };
}

function toXds(file: SettingsFile['xds'], fromHome: FromHome, port: number | undefined): Settings['xds'] {
  return {
    address: file.address ?? (isMeantForAll(file) ? '0.0.0.0' : '127.0.0.1'),
    port: port ?? file.port,
    resource: file.resource,
    ackTimeoutMs: toMilliseconds(file.ack_timeout),
    quorum: file.quorum,
    keepaliveMs: toMilliseconds(file.keepalive),
    maxStreams: file.max_streams,
    maxStreamsPerClient: file.max_streams_per_client,
    maxConnectionAgeMs: toMilliseconds(file.max_connection_age),
    tls: file.tls && toTls(file.tls, fromHome),
  };
}

/** Without client certificates, anybody who reaches the port is a node and may refuse a commit for all. */
export function isMeantForAll({ insecure, tls }: SettingsFile['xds']): boolean {
  return insecure || (tls !== null && tls.client_ca !== null);
}

function toTls(file: NonNullable<SettingsFile['xds']['tls']>, fromHome: FromHome): TlsSettings {
  return {
    certificate: fromHome(file.certificate),
    key: fromHome(file.key),
    clientCa: optional(file.client_ca, fromHome),
    san: file.san,
  };
}

function toLimits({ moved, ...rest }: SettingsFile['plan']['limits']): PlanLimits {
  return { moved: moved === null ? null : toShare(moved), ...rest };
}

function optional(path: string | null, fromHome: FromHome): string | null {
  return path === null ? null : fromHome(path);
}

function mapValues<K extends string, A, B>(record: Record<K, A>, map: (value: A) => B): Record<K, B> {
  return Object.fromEntries(Object.entries<A>(record).map(([key, value]) => [key, map(value)])) as Record<K, B>;
}
