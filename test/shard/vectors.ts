import { readFileSync } from 'node:fs';

/** A golden vector: test/fixtures/shard-vectors.json holds the ones of docs/design.md first, then generated ones. */
export interface ShardVector {
  readonly customer: string;
  readonly totalHosts: number;
  readonly shardSize: number;
  /** Slots that get nobody. */
  readonly drained?: readonly number[];
  /** 0-based, best first. */
  readonly slots: readonly number[];
}

export const shardVectors = JSON.parse(
  readFileSync(new URL('../fixtures/shard-vectors.json', import.meta.url), 'utf8'),
) as readonly ShardVector[];

/** A golden vector of a customer who was dealt anew, or of hosts that are set apart for a quarantine. */
export interface DealVector extends ShardVector {
  readonly deal?: number;
  readonly quarantineHosts?: number;
  readonly quarantined?: true;
}

export const dealVectors = JSON.parse(
  readFileSync(new URL('../fixtures/deal-vectors.json', import.meta.url), 'utf8'),
) as readonly DealVector[];

/** Where a customer stands among 10,000 for the next view's cutover: test/fixtures/cutover-vectors.json. */
export const cutoverVectors = JSON.parse(
  readFileSync(new URL('../fixtures/cutover-vectors.json', import.meta.url), 'utf8'),
) as readonly { readonly customer: string; readonly at: number }[];
