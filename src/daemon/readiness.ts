import type { Journal } from '../ledger/journal.ts';
import type { Fleet } from './fleet.ts';

/** Ready once a release is served and the ledger can be written; else the reasons. */
export function readiness({
  fleet,
  journal,
}: {
  readonly fleet: Pick<Fleet, 'live'>;
  readonly journal: Pick<Journal, 'health'>;
}): {
  ready: boolean;
  reasons: string[];
} {
  const reasons = [];
  const { health } = journal;
  if (fleet.live === null) reasons.push('no release is served yet');
  if (!health.ok) reasons.push(health.reason);
  return { ready: reasons.length === 0, reasons };
}
