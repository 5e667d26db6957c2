import type { Version } from '../ids.ts';
import type { Load } from '../load/load.ts';
import type { Sums } from '../load/sums.ts';

/** The rollout that is on, and who has its candidate. Times are milliseconds since the epoch. */
export interface WatchedRollout {
  /** As it is on the wire: a customers' wave has `<sha>.<n>`. */
  readonly version: Version;
  /** When its present wave began. */
  readonly since: number;
  readonly startedAt: number;
  /** Whether a node, by its node.id, has the candidate. */
  readonly includes: (node: string) => boolean;
  /** No node is left outside the wave; customers may be. */
  readonly isEveryone: boolean;
  /** What an event of this rollout gave as such before a restart. */
  readonly baseline: Sums | null;
  /** The ids of the connected nodes that have the candidate. */
  readonly nodes: () => readonly string[];
}

/** What the fleet's nodes have reported. */
export type FleetLoad = Pick<Load, 'sum' | 'isReporting' | 'hasNode'>;
