import type { Logger } from 'pino';
import { short } from '../release/short.ts';
import type { Controller } from './controller.ts';
import { offerEach, type Offering } from './effects.ts';
import type { Fleet } from './fleet.ts';

interface Restored extends Offering {
  readonly log: Logger;
  readonly fleet: Pick<Fleet, 'target'>;
  readonly controller: Pick<Controller, 'resume'>;
}

/** Offers the release that was served before the restart, if any; git is read later. */
export function serveRestored({ log, fleet, controller, ...offering }: Restored): void {
  const { target } = fleet;
  if (target)
    log.info(
      { event: 'restored', version: target.version },
      `serving ${short(target.version)} ${target.release.subject} from the ledger`,
    );
  if (target === null) offering.xds.offer(null);
  else offerEach(offering);
  controller.resume();
}
