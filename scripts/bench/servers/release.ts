import type { ShardConfig } from '../../../src/config/config.ts';
import { compileRelease } from '../../../src/release/compile.ts';
import type { Release } from '../../../src/release/release.ts';

/** The config of the benchmark. All servers push the same (go/main.go). */
export function makeConfig(customers: number): ShardConfig {
  const sizes = Array.from(
    { length: customers },
    (_, at) => [`customer-${String(at).padStart(6, '0')}`, 2 + (at % 7)] as const,
  );
  return { totalHosts: 100, defaultShardSize: 2, customers: new Map(sizes), hosts: null, runtime: new Map() };
}

/** The version of the benchmark's release N: as long as a commit's SHA. */
export function versionOf(release: number): string {
  return release.toString(16).padStart(40, '0');
}

/** Release N of a config that does not change. */
export function makeRelease(config: ShardConfig, number: number): Release {
  return compileRelease(config, { version: versionOf(number), subject: `release ${number}` });
}
