/** The same number before a change and after it. */
export interface Change<T = number> {
  readonly before: T;
  readonly after: T;
}

/** What becomes of a customer's shard: more hosts, fewer, others, or others because its `deal` is another. */
export type MoveKind = 'grown' | 'shrunk' | 'moved' | 're-dealt';

/** A customer whose set of hosts is another. */
export interface Move {
  readonly customer: string;
  readonly kind: MoveKind;
  /** Host numbers from 1, best first, as in `x-shard-assignment`. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** How many of the old hosts it keeps. */
  readonly kept: number;
}

/** How many of a group of customers move, and how. */
export interface Moves {
  /** How many there are; of the unnamed: how many ids were tried. */
  readonly of: number;
  /** How many were looked at: all, unless there are too many on too many hosts. */
  readonly looked: number;
  readonly moved: number;
  readonly kinds: Readonly<Record<MoveKind, number>>;
  /** Those that keep no old host. */
  readonly keepNone: number;
  /** On how many hosts a customer is while some nodes have the old release and some the new one. */
  readonly union: { readonly largest: number; readonly mean: number };
}

/** Parts (0 to 1) of the customers that no config names, by formula. */
export interface MovesFormula {
  readonly moved: number;
  readonly grown: number;
  readonly shrunk: number;
  /** Null where it would take too long. */
  readonly keepNone: number | null;
}

/** Named customers that share all their hosts with another. */
export interface Twins {
  readonly customers: number;
  readonly pairs: number;
  /** The largest groups, five at most. */
  readonly worst: readonly TwinGroup[];
}

export interface TwinGroup {
  /** Host numbers from 1, ascending. */
  readonly hosts: readonly number[];
  readonly size: number;
  /** Some of them, in the file's order. */
  readonly customers: readonly string[];
}

/** How many customers each host has. */
export interface HostLoad {
  /** Whose: the named customers', or those of the sample where fewer are named than there are hosts. */
  readonly of: 'named' | 'sample';
  readonly customers: number;
  /** Over the hosts that get any of the unnamed customers. */
  readonly mean: number;
  readonly max: number;
  readonly hottest: { readonly number: number; readonly host: string | null } | null;
  /** `max / mean`; 0 without customers. */
  readonly ratio: number;
  /** Of each host, in the list's order. */
  readonly hosts: readonly number[];
}

/** So many hosts, or so many customers with all hosts of theirs, are down. */
export interface Outage {
  readonly what: 'hosts' | 'customers';
  readonly count: number;
}

/** What part (0 to 1) of the other customers has nothing left. Null: there are not so many, or it would take too long. */
export interface Survival extends Outage {
  readonly named: Change<number | null>;
  readonly unnamed: Change<number | null>;
}

/** What becomes of the list of hosts. */
export interface HostChanges {
  readonly total: Change;
  /** Those that get customers which are not quarantined: neither drained nor vacant. */
  readonly open: Change;
  /** Drained or vacant. */
  readonly drained: Change;
  /** Those of the quarantine. */
  readonly quarantine: Change;
  readonly added: number;
  readonly removed: number;
  /** In both lists, at another place. */
  readonly displaced: number;
  /** Both configs list their hosts, or both don't: else nobody can tell which is which, and every customer counts as moved. */
  readonly isComparable: boolean;
}

/** Names, and how many more there are. */
export interface Names {
  readonly count: number;
  readonly some: readonly string[];
}

/** A limit of `plan.limits` that a change breaks. */
export interface Excess {
  readonly limit: 'moved' | 'twins' | 'load';
  readonly allowed: number;
  readonly before: number | null;
  readonly value: number;
  /** In words. */
  readonly message: string;
}

/** A customer that goes into quarantine: how many others have a host in common with it. */
export interface Quarantined {
  readonly customer: string;
  readonly named: Change;
  /** The part (0 to 1) of the sample. */
  readonly unnamed: Change;
}

/** What a change of the config does: `shardplane plan --json` (schemas/plan.schema.json). */
export interface ChangePlan {
  /** Anything that is pushed is another. */
  readonly changes: boolean;
  readonly hosts: HostChanges;
  readonly defaultShardSize: Change;
  readonly customers: {
    readonly total: Change;
    readonly added: Names;
    readonly removed: Names;
    readonly resized: Names;
    readonly redealt: Names;
    readonly unquarantined: Names;
  };
  /** Keys of the runtime whose values differ. */
  readonly runtime: Names;
  readonly named: Moves & { readonly moves: readonly Move[] };
  readonly unnamed: Moves & { readonly seed: number; readonly formula: MovesFormula | null };
  /** The first 20. */
  readonly quarantined: readonly Quarantined[];
  readonly twins: Change<Twins>;
  /** The most hosts that any two named customers share (those in quarantine left out). Null: it would take too long. */
  readonly mostShared: Change<number | null>;
  readonly load: Change<HostLoad>;
  readonly survival: readonly Survival[];
  readonly strategy: { readonly name: string; readonly reason: string };
  readonly excesses: readonly Excess[];
}
