import { readFileSync } from 'node:fs';

/** A golden vector: test/fixtures/shard-vectors.json holds the ones of docs/design.md first, then generated ones. */
export interface ShardVector {
  readonly customer: string;
  readonly totalHosts: number;
  readonly shardSize: number;
  /** 0-based, best first. */
  readonly slots: readonly number[];
}

export const shardVectors = JSON.parse(
  readFileSync(new URL('../fixtures/shard-vectors.json', import.meta.url), 'utf8'),
) as readonly ShardVector[];
