import type { Diagnostic } from '../config/diagnostic.ts';
import type { CheckVerdict, NodeState, Outcome, Refusal, Vote } from '../rollout/types.ts';

/** `GET /api/v1/status` and `shardplane status --json`. A contract: fields are added, never taken away. Times are RFC 3339. */
export interface Status {
  readonly daemon: DaemonInfo;
  readonly live: {
    readonly version: string;
    readonly subject: string;
    readonly since: string;
    readonly proven: boolean;
  } | null;
  readonly head: {
    readonly version: string;
    readonly subject: string;
    /** null while it is being rolled out. */
    readonly outcome: Outcome | null;
    readonly diagnostics: readonly ShownDiagnostic[];
  } | null;
  readonly nodes: readonly NodeStatus[];
  /** Members of the fleet alone: not `unserved` nodes. */
  readonly counts: Readonly<Record<'connected' | NodeState, number>>;
  /** node.ids without a vote, connected or not. */
  readonly muted: readonly string[];
  /** Nodes that disconnected within a day, newest first; 1,000 at most. */
  readonly gone: readonly GoneNode[];
  /** Older revisions, overtaken by the newest, that are still being judged. */
  readonly backlog: number;
  /** What fails now, besides the head's diagnostics. Empty when all is well. */
  readonly problems: readonly Problem[];
  /** The saved file, when it differs from the commit: checked, never pushed. */
  readonly working: { readonly valid: boolean; readonly diagnostics: readonly ShownDiagnostic[] } | null;
  /** What is being rolled out, all at once or in waves. */
  readonly rollout: RolloutStatus | null;
  /** Why no wave begins: an operator's freeze, or a window of the settings (`by` and `since` are null). */
  readonly freeze: {
    /** Null: until `unfreeze`. */
    readonly until: string | null;
    readonly reason: string;
    readonly by: string | null;
    readonly since: string | null;
  } | null;
}

/** A rollout under way. Times are RFC 3339. */
export interface RolloutStatus {
  readonly version: string;
  readonly subject: string;
  readonly strategy: string;
  /** Why this strategy, if that is known. */
  readonly reason: string | null;
  /** `waiting`: the next wave has not begun; `pushing`: its nodes answer; `baking`: they have it. */
  readonly phase: 'waiting' | 'pushing' | 'baking';
  /** Counted from 1; 0 before the first. */
  readonly wave: number;
  /** Each wave in words: `10 % of the nodes, 5 min`. */
  readonly waves: readonly string[];
  /** Connected ones. */
  readonly nodes: { readonly reached: number; readonly connected: number };
  /** Who uses it on those nodes: named customers, and this part of all. Null: all. */
  readonly customers: { readonly percent: number; readonly named: readonly string[] } | null;
  readonly startedAt: string;
  /** When the current wave began. */
  readonly waveAt: string;
  /** Null while it does not bake, and while it is paused. */
  readonly bakeUntil: string | null;
  /** Also of a paused one. */
  readonly bakeLeftMs: number | null;
  readonly paused: {
    readonly by: string;
    readonly why: string;
    readonly reason: 'operator' | 'no_data' | 'unanswered';
    readonly since: string;
  } | null;
  /** What has to happen before it goes on, in words; null: nothing. */
  readonly waitsFor: string | null;
  /** What an operator can do, in words. */
  readonly hint: string;
  readonly checks: readonly CheckStatus[];
  /** Why the built-in check of load reports is off; null: it is on. */
  readonly checksOff: string | null;
}

export interface CheckStatus {
  readonly name: string;
  /** The last five of this wave, newest last. */
  readonly verdicts: readonly CheckVerdict[];
  /** Of the last, with its numbers. */
  readonly message: string;
  readonly noDataSince: string | null;
}

/** The daemon that answers; also alone, at `/api/v1/daemon`. */
export interface DaemonInfo {
  /** Of shardplane. */
  readonly version: string;
  readonly pid: number;
  readonly since: string;
  /** The path of the repository, or a remote's URL without its secrets. */
  readonly repository: string;
  readonly ref: string;
  readonly file: string;
  readonly stateDirectory: string;
  readonly xdsPort: number;
  readonly httpPort: number;
}

/** A diagnostic with its source line (null: there is none to show), so that any client can draw the caret. */
export interface ShownDiagnostic extends Diagnostic {
  readonly excerpt: string | null;
}

/** One connected Envoy. */
export interface NodeStatus {
  readonly id: string;
  readonly cluster: string;
  /** The version that it accepted last. */
  readonly version: string | null;
  /** `unserved`: it subscribes to nothing that is served here, and is no member of the fleet. */
  readonly state: NodeState | 'unserved';
  /** What its answer counts for in a rollout (docs/rollout.md). */
  readonly vote: Vote;
  readonly refusal: Pick<Refusal, 'code' | 'message'> | null;
  readonly connectedSince: string;
  /** `region/zone/sub_zone`, as far as given. */
  readonly locality: string;
  readonly userAgent: string;
  /** Where it connects from. */
  readonly address: string;
  /** `sotw`, `delta`, `sotw ADS` or `delta ADS`. */
  readonly dialect: string;
  /** The resource names that it subscribes to. */
  readonly resources: readonly string[];
  /** For an unserved node, a sentence on what it asks for and what is served; else null. */
  readonly unserved: string | null;
  /** Another stream carries the same node.id. */
  readonly duplicate: boolean;
  /** What is being rolled out has reached it. */
  readonly wave: boolean;
  /** What its backends answered in the last minute, by its own load reports. null: it sends none. */
  readonly load: {
    readonly requests: number;
    readonly errors: number;
    /** How much of the minute it has been reporting. */
    readonly seconds: number;
  } | null;
}

/** An Envoy that is not connected any more. */
export interface GoneNode {
  readonly id: string;
  readonly lastSeen: string;
  /** The last version that it accepted. */
  readonly version: string | null;
  /** Where it connected from. */
  readonly address: string;
}

/** Something that fails: reported once, and shown until it is over. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly since: string;
}

/** What a command did, for the operator. `ok: false`: it was refused, and nothing changed. */
export interface CommandResult {
  readonly ok: boolean;
  readonly message: string;
  readonly hint?: string;
}

/** What an operator orders, and why ('': without a word). */
export type Order = { readonly by: string; readonly why: string } & (
  | { readonly verb: 'pause' | 'resume' | 'abort' | 'unfreeze' }
  /** `all`: to everyone, without any more baking. */
  | { readonly verb: 'promote'; readonly all: boolean }
  /** Milliseconds since the epoch; null: until `unfreeze`. */
  | { readonly verb: 'freeze'; readonly until: number | null }
);

/** Webhook senders: see docs/operating.md. */
export type WebhookSender = 'github' | 'gitlab' | 'gitea' | 'generic';

/** The daemon, as HTTP sees it. */
export interface Api {
  daemon(): DaemonInfo;
  status(): Promise<Status>;
  /** Ready once a release is served and the ledger can be written; else why not. */
  readiness(): { readonly ready: boolean; readonly reasons: readonly string[] };
  /** Text in the Prometheus exposition format. */
  metrics(): Promise<string>;
  /** The live release's shard of one customer, or null before there is a release. */
  explain(customer: string): unknown;
  history(query: URLSearchParams): Promise<unknown>;
  /** What was live, one after another. */
  lives(query: URLSearchParams): Promise<unknown>;
  /** Null: there is no such commit. */
  story(version: string): Promise<unknown>;
  retry(version: string, by: string): CommandResult | Promise<CommandResult>;
  accept(version: string, by: string): CommandResult | Promise<CommandResult>;
  /** Takes a node's vote away; it need not be connected. */
  mute(node: string, by: string): CommandResult;
  unmute(node: string, by: string): CommandResult;
  /** A command about rollouts as a whole. */
  operate(order: Order): CommandResult | Promise<CommandResult>;
  /** Looks at the repository now (a remote is fetched first). */
  sync(): Promise<CommandResult>;
  /** A verified webhook about `ref` (null: any ref). */
  pushed(ref: string | null): void;
}
