import type { Json } from '../config/config.ts';

/** A valid revision, compiled: this is what is pushed to the fleet. */
export interface Release {
  /** The commit's full SHA: `runtime.version_text` of every Envoy that runs it. */
  readonly version: string;
  /** The commit's subject line. */
  readonly subject: string;
  /** The runtime layer, flat keys to values, `shuffle_sharding.version` included. */
  readonly fields: ReadonlyMap<string, Json>;
}
