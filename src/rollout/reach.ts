import { matchesGlob } from '../glob.ts';
import { murmur3_32 } from '../shard/murmur3.ts';
import type { NodeGlobs, NodeSet, RolloutPolicy } from './plan.ts';

/** An xDS client, as far as a wave may choose by it. */
export interface NodeLabels {
  /** xDS node.id. */
  readonly id: string;
  readonly cluster: string;
  /** `region/zone/sub_zone`, or less. */
  readonly locality: string;
  /** The values that strategies ask for, by dotted key. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Which nodes the waves so far have reached: plain JSON, and for the same node the same in every process. A node that joins later, and is in
 * it, gets what its wave has.
 */
export interface Reach {
  readonly isEveryone: boolean;
  /** Nodes up to this place in the order; -1: none. */
  readonly upTo: number;
  /** Nodes that match one of these. */
  readonly globs: readonly NodeGlobs[];
}

export const nobody: Reach = { isEveryone: false, upTo: -1, globs: [] };
const everyone: Reach = { isEveryone: true, upTo: -1, globs: [] };

const seed = 0x77617665;
/** 7 % of 100 is 7, not 7.000000000000001. */
const rounding = 1e-9;

/** A node's place in the order in which waves take nodes, 0 to 2^32 - 1: the same for every commit, so that waves are nested. */
export function orderOf(id: string): number {
  return murmur3_32(new TextEncoder().encode(id), seed);
}

export function reaches({ isEveryone, upTo, globs }: Reach, node: NodeLabels): boolean {
  if (isEveryone) return true;
  return (upTo >= 0 && orderOf(node.id) <= upTo) || globs.some((each) => matchesAll(node, each));
}

function matchesAll(node: NodeLabels, { id, cluster, locality, metadata = {} }: NodeGlobs): boolean {
  const wanted = [
    [node.id, id],
    [node.cluster, cluster],
    [node.locality, locality],
    ...Object.entries(metadata).map(([key, glob]) => [node.metadata[key], glob]),
  ];
  return wanted.every(([text, glob]) => glob === undefined || (text !== undefined && matchesGlob(text, glob)));
}

/** The dotted keys of node.metadata that strategies choose by. */
export function metadataKeysOf({ strategies }: Pick<RolloutPolicy, 'strategies'>): string[] {
  const waves = [...strategies.values()].flatMap((plan) => plan.waves);
  const keys = waves.flatMap(({ nodes }) => (nodes.type === 'matching' ? Object.keys(nodes.globs.metadata ?? {}) : []));
  return [...new Set(keys)];
}

/** The node.ids of connected nodes that are not muted; of those, the ones that a wave can rely on. */
export interface Members {
  readonly all: ReadonlySet<string>;
  readonly sound: ReadonlySet<string>;
}

/**
 * The reach with a wave's nodes. A share is one of all members, and who is counted, for a number too, are the sound ones in their
 * order. Others that come before them in the order are reached as well.
 */
export function extend(reach: Reach, nodes: NodeSet, members: () => Members): Reach {
  switch (nodes.type) {
    case 'everyone':
      return everyone;
    case 'count':
      return upToFirst(reach, nodes.count, members().sound);
    case 'share': {
      const { all, sound } = members();
      return upToFirst(reach, Math.ceil(nodes.share * all.size - rounding), sound);
    }
    case 'matching':
      return { ...reach, globs: [...reach.globs, nodes.globs] };
  }
}

function upToFirst(reach: Reach, count: number, ids: ReadonlySet<string>): Reach {
  const orders = [...ids].map(orderOf).sort((a, b) => a - b);
  const last = orders[Math.min(count, orders.length) - 1] ?? -1;
  return { ...reach, upTo: Math.max(reach.upTo, last) };
}
