import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '../ledger/ledger.ts';
import type { Store } from '../ledger/store.ts';
import type { Settings } from '../settings/settings.ts';
import type { Logger } from './log.ts';

/** Opens the ledger in the state directory, which gets a .gitignore so that nobody commits it. */
export function openStateDirectory(settings: Settings, log: Logger): Store {
  const { directory, keepMs, keepRevisions } = settings.state;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(join(directory, '.gitignore'), '*\n', { flag: 'wx' });
  } catch {
    // It exists, or can't be written: then the ledger reports it.
  }
  const retention = { ageMs: keepMs, revisions: keepRevisions, releases: 10 };
  return openStore({ directory, retention, notice: (message) => log.warn(message) });
}
