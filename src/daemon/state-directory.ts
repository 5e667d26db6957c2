import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '../ledger/ledger.ts';
import type { Store } from '../ledger/store.ts';
import type { Settings } from '../settings/settings.ts';
import type { Logger } from './log.ts';

/** The ledger, in a state directory that git does not offer to commit. */
export function openStateDirectory(settings: Settings, log: Logger): Store {
  const { directory, keepMs, keepRevisions } = settings.state;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(join(directory, '.gitignore'), '*\n', { flag: 'wx' });
  } catch {
    // There already, or not to be written: the ledger says so.
  }
  const retention = { ageMs: keepMs, revisions: keepRevisions, releases: 10 };
  return openStore({ directory, retention, notice: (text) => log.warn(text) });
}
