import type { Logger } from 'pino';
import type { Revision } from '../git/read/revision.ts';
import type { Status } from '../http/api.ts';
import type { Judge } from '../judge/judge.ts';
import { ReaderError } from '../judge/reader.ts';
import { drawAll } from './log-facts.ts';
import { showAll } from './to-status.ts';

/** Checks and logs a saved edit. Null: it is the same as the commit; undefined: it could not be checked. */
export async function checkSaved(
  state: 'same' | Revision['content'],
  { log, judge, file }: { log: Logger; judge: Judge; file: string },
): Promise<Status['working'] | undefined> {
  if (state === 'same') return null;
  const bytes = 'bytes' in state ? state.bytes : null;
  const diagnostics = 'fault' in state ? [state.fault] : await judge.check(state.bytes).catch(ignoreClosed);
  if (diagnostics === null) return undefined;
  if (diagnostics.length === 0) log.info({ event: 'saved' }, `${file} is saved: valid, not committed`);
  else log.warn({ event: 'saved', drawn: drawAll(diagnostics, bytes) }, `${file} is saved: not valid, not committed`);
  return { valid: diagnostics.length === 0, diagnostics: showAll(diagnostics, bytes) };
}

/** At shutdown, or when the reader has crashed: the next change of the file is checked again. */
function ignoreClosed(error: unknown): null {
  if (error instanceof ReaderError) return null;
  throw error;
}
