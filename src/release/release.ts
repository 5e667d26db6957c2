import type { NextView, ShardConfig } from '../config/config.ts';
import type { Version } from '../ids.ts';

/** A valid revision: this is what is pushed to the fleet, as the runtime keys that compile.ts makes of it. */
export interface Release {
  /** The commit's full SHA: `runtime.version_text` of every Envoy that runs it. */
  readonly version: Version;
  /** The commit's subject line. */
  readonly subject: string;
  readonly config: ShardConfig;
  /** A second view of the sharding, which some customers use already. */
  readonly next?: NextView;
}
