import type { ShardConfig } from '../../src/config/config.ts';

/** A config of 8 hosts and nothing else, changed so. */
export function makeConfig(changes: Partial<ShardConfig> = {}): ShardConfig {
  return { totalHosts: 8, defaultShardSize: 2, customers: new Map(), hosts: null, runtime: new Map(), ...changes };
}
