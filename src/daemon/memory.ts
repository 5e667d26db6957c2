import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLedger } from '../ledger/ledger.ts';
import type { Ledger, Restored } from '../ledger/ledger.ts';
import type { Settings } from '../settings/settings.ts';
import type { Logger } from './log.ts';

/** The ledger, in a state directory that git does not offer to commit. */
export function openStateDirectory(settings: Settings, log: Logger): Ledger {
  const { directory, keepMs, keepRevisions } = settings.state;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(join(directory, '.gitignore'), '*\n', { flag: 'wx' });
  } catch {
    // There already, or not to be written: the ledger says so.
  }
  const ledger = openLedger({ directory, retention: { ageMs: keepMs, revisions: keepRevisions, releases: 10 } });
  for (const notice of ledger.notices) log.warn(notice);
  return ledger;
}

/** Every push before this process was answered, none was refused: who says to have the live release has it. */
export function isCalm(ledger: Ledger, { live, head, pins }: Restored): boolean {
  if (live === null || pins.size > 0 || head?.outcome == null) return false;
  const story = ledger.story(live.version);
  const push = story === null || story === 'ambiguous' ? null : story.revision.push;
  return push !== null && push.settledAt !== null && push.refused + push.unanswered === 0;
}
