/** How a release reaches the fleet: wave by wave. Plain JSON, since a restart resumes it. */
export interface Plan {
  /** The strategy's name, for messages. */
  readonly strategy: string;
  /** At least one; the last is for everyone, with all customers. */
  readonly waves: readonly Wave[];
  /** Why this strategy, in words. */
  readonly reason?: string;
}

/** Who gets the release in addition to those of the waves before, and how long it bakes there. */
export interface Wave {
  readonly nodes: NodeSet;
  /** The customers that use it already; null: all. Not null only where `nodes` is everyone: all nodes get the same layer. */
  readonly customers: CustomerSet | null;
  readonly bakeMs: number;
  /** It begins when an operator promotes it. */
  readonly isManual: boolean;
}

export type NodeSet =
  | { readonly type: 'everyone' }
  /** So many nodes, the first in the order of `orderOf(node.id)`. */
  | { readonly type: 'count'; readonly count: number }
  /** The same by their share, above 0 and up to 1. */
  | { readonly type: 'share'; readonly share: number }
  /** Nodes that match all of these globs, in which `*` stands for any run of characters. */
  | { readonly type: 'matching'; readonly globs: NodeGlobs };

export interface NodeGlobs {
  readonly id?: string;
  readonly cluster?: string;
  /** Compared with `region/zone/sub_zone`. */
  readonly locality?: string;
  /** By key; a dot leads into a nested struct. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export type CustomerSet =
  /** Named customers, whatever their place. */
  | { readonly type: 'named'; readonly ids: readonly string[] }
  /** Those below this share (above 0 and up to 1) of the cutover's range. */
  | { readonly type: 'share'; readonly share: number };

/** What the operator has set about rollouts. */
export interface RolloutPolicy {
  /** By name, the built-in ones included. */
  readonly strategies: ReadonlyMap<string, Plan>;
  /** The strategy of a commit that no rule matches. */
  readonly strategy: string;
  /** The first that matches. */
  readonly rules: readonly StrategyRule[];
  readonly checks: CheckSettings;
  readonly freeze: readonly FreezeWindow[];
}

export interface StrategyRule {
  /** More than this share of the customers (0 to 1) would change hosts. */
  readonly moved: number;
  readonly strategy: string;
}

export interface CheckSettings {
  /** Load reports: worse by the ratio and by the points (percent), once there are so many requests. Null: off. */
  readonly errors: { readonly ratio: number; readonly points: number; readonly requests: number } | null;
  readonly prometheus: readonly PrometheusCheck[];
}

export interface PrometheusCheck {
  readonly name: string;
  /** The server's base URL. */
  readonly url: string;
  /** PromQL, with {{version}} and {{nodes}}. */
  readonly query: string;
  /** It fails above `max` and below `min`; at least one is set. */
  readonly max: number | null;
  readonly min: number | null;
  readonly everyMs: number;
  readonly timeoutMs: number;
}

/** When no wave begins. Local times are those of the IANA zone. */
export type FreezeWindow =
  | {
      readonly type: 'once';
      /** `2026-12-24T00:00`. */
      readonly from: string;
      readonly to: string;
      readonly zone: string;
      readonly reason: string;
    }
  | {
      readonly type: 'cron';
      /** Five fields. */
      readonly cron: string;
      readonly forMs: number;
      readonly zone: string;
      readonly reason: string;
    };

/** No wave begins now. `until`: milliseconds since the epoch; null: until an operator ends it. */
export interface Frozen {
  readonly until: number | null;
  readonly reason: string;
}

/** The last wave of every plan: all nodes, with all customers. */
export const everyone: Wave = { nodes: { type: 'everyone' }, customers: null, bakeMs: 0, isManual: false };

/** Everyone gets it at once, and it is live as soon as they have answered. */
export const allAtOnce: Plan = { strategy: 'all-at-once', waves: [everyone] };
