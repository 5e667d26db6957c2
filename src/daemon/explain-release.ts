import type { Release } from '../release/release.ts';
import type { Fleet } from './fleet.ts';
import { explainShard } from '../shard/explain-shard.ts';
import type { ShardExplanation } from '../shard/explain-shard.ts';
import { chooseView, cutoverOf, type ViewReason } from '../shard/choose-view.ts';

/** A customer's shard under one release, and why it is that. */
export interface Explanation extends ShardExplanation {
  /** The release of the view that the customer uses. */
  readonly version: string;
  /** Which view that is, and why. */
  readonly view: 'current' | 'next';
  readonly viewReason: ViewReason;
  /** 0 to 9,999: the customer uses a next view once its cutover is higher. */
  readonly cutoverAt: number;
  /** As in `x-shard-assignment`: 1-based, in rank order. */
  readonly assignment: readonly number[];
}

/** Explains what envoy/shardplane.lua does with the values that a release is pushed as. */
export function explainRelease(release: Release, customer: string): Explanation {
  const { next = null } = release;
  const { isNext, reason } = chooseView(next, customer);
  const { config, version } = isNext && next ? next : release;
  const explained = explainShard(config, customer);
  return {
    version,
    view: isNext ? 'next' : 'current',
    viewReason: reason,
    cutoverAt: cutoverOf(customer),
    assignment: explained.slots.map(({ number }) => number),
    ...explained,
  };
}

/** What the fleet does with a customer now: `shardplane explain --json`. */
export interface FleetExplanation extends Explanation {
  /** What nodes do that a rollout has reached already, and the others not yet; null: all do the same. */
  readonly ahead:
    | (Pick<Explanation, 'version' | 'assignment' | 'shardSize' | 'totalHosts'> & {
        readonly nodes: number;
        readonly connected: number;
      })
    | null;
}

/** Null before there is a live release. */
export function explainFleet(
  { common, ahead }: Pick<Fleet, 'common' | 'ahead'>,
  customer: string,
): FleetExplanation | null {
  if (common === null) return null;
  return { ...explainRelease(common, customer), ahead: ahead && explainAhead(ahead, customer) };
}

function explainAhead(
  { release, nodes, connected }: NonNullable<Fleet['ahead']>,
  customer: string,
): FleetExplanation['ahead'] {
  const { version, assignment, shardSize, totalHosts } = explainRelease(release, customer);
  return { version, assignment, shardSize, totalHosts, nodes, connected };
}
