import type { Logger } from 'pino';
import { short } from '../release/short.ts';
import type { XdsServer } from '../xds/xds-server.ts';
import type { Controller } from './controller.ts';
import type { Fleet } from './fleet.ts';

export interface Restored {
  readonly log: Logger;
  readonly fleet: Pick<Fleet, 'target'>;
  readonly xds: Pick<XdsServer, 'offer'>;
  /** Offers each node what it had. */
  readonly offerTargets: () => void;
  readonly controller: Pick<Controller, 'resume'>;
}

/** Offers the release that was served before the restart, if any; git is read later. */
export function serveRestored({ log, fleet, xds, offerTargets, controller }: Restored): void {
  const { target } = fleet;
  if (target)
    log.info(
      { event: 'restored', version: target.version },
      `serving ${short(target.version)} ${target.release.subject} from the ledger`,
    );
  if (target === null) xds.offer(null);
  else offerTargets();
  controller.resume();
}
