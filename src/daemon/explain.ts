import type { Release } from '../release/release.ts';
import { layerConfig } from '../release/layer-config.ts';
import { explainShard } from '../shard/explain.ts';
import type { ShardExplanation } from '../shard/explain.ts';

/** A customer's shard under one release, and why it is that: `shardplane explain --json`. */
export interface Explanation extends ShardExplanation {
  /** The release that says so. */
  readonly version: string;
  /** As in `x-shard-assignment`: 1-based, in rank order. */
  readonly assignment: readonly number[];
}

/** What envoy/shardplane.lua does with the release's values, told. */
export function explainRelease(release: Release, customer: string): Explanation {
  const explained = explainShard(layerConfig(release), customer);
  return { version: release.version, assignment: explained.slots.map(({ number }) => number), ...explained };
}
