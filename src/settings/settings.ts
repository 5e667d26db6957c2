import type { PlanLimits } from '../plan/limits.ts';
import type { RolloutPolicy } from '../rollout/plan.ts';

/** The daemon's settings: complete with defaults, durations in milliseconds, paths absolute. */
export interface Settings {
  readonly repository: RepositorySettings;
  readonly xds: XdsSettings;
  readonly release: { readonly encoding: 'auto' | 'keys' | 'packed' };
  readonly plan: { readonly limits: PlanLimits };
  readonly rollout: RolloutPolicy;
  readonly http: HttpSettings;
  readonly status: StatusSettings | null;
  readonly state: { readonly directory: string; readonly keepMs: number; readonly keepRevisions: number };
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly format: 'auto' | 'text' | 'json' };
}

export interface RepositorySettings {
  readonly path: string;
  /** Relative to the repository's top. */
  readonly file: string;
  readonly ref: string;
  /** A JSON Schema of the user's own, or null for ours. */
  readonly schema: string | null;
  readonly pollMs: number;
  readonly onRewrite: 'follow' | 'hold' | 'refuse';
  readonly notes: 'off' | 'local' | 'push';
  /** Fractions (0.5: half). */
  readonly guard: { readonly customers: number; readonly hosts: number };
  readonly verify: {
    readonly mode: 'none' | 'head' | 'all';
    readonly gpgKeyring: string | null;
    readonly sshAllowedSigners: string | null;
  };
  readonly remote: RemoteSettings | null;
}

export interface RemoteSettings {
  readonly url: string;
  readonly ref: string;
  readonly pollMs: number;
  /** The random share of the interval, 0 to 1. */
  readonly jitter: number;
  readonly timeoutMs: number;
  readonly credentialsFile: string | null;
  readonly credentialHelper: boolean;
  readonly sshKey: string | null;
  readonly sshKnownHosts: string | null;
  readonly proxy: string | null;
  readonly ca: string | null;
  readonly fsckSkipList: string | null;
}

export interface XdsSettings {
  readonly address: string;
  readonly port: number;
  /** Name of the RTDS resource. */
  readonly resource: string;
  readonly ackTimeoutMs: number;
  /** The fraction of nodes (0 to 1) whose ACKs prove a release. */
  readonly quorum: number;
  readonly keepaliveMs: number;
  readonly maxStreams: number;
  /** Per client address, and per client certificate. */
  readonly maxStreamsPerClient: number;
  readonly maxConnectionAgeMs: number;
  readonly tls: TlsSettings | null;
}

export interface TlsSettings {
  readonly certificate: string;
  readonly key: string;
  readonly clientCa: string | null;
  /** What a SAN of the client's certificate must match. */
  readonly san: string | null;
}

export interface HttpSettings {
  readonly address: string;
  readonly port: number;
  /** Host names to accept, besides those of loopback. */
  readonly hosts: readonly string[];
  /** Files that hold each sender's secret. */
  readonly webhooks: Readonly<Record<'github' | 'gitlab' | 'gitea' | 'generic', string | null>>;
}

export interface StatusSettings {
  readonly provider: 'github' | 'gitlab' | 'gitea';
  readonly tokenFile: string;
  readonly url: string;
  readonly context: string;
}

/** Settings that flags override. */
export interface SettingsOverrides {
  readonly repository?: string | undefined;
  readonly file?: string | undefined;
  readonly ref?: string | undefined;
  readonly xdsPort?: number | undefined;
  readonly httpPort?: number | undefined;
  readonly state?: string | undefined;
}
