import type { Diagnostic } from '../config/diagnostic.ts';
import { because } from '../config/words.ts';
import type { Cause } from './types.ts';

/** Why a release was rolled back, as a diagnostic: an Envoy's NACK with its message, at the key's line. */
export function diagnose(cause: Cause): Diagnostic {
  const start = { file: '', line: 1, column: 1 };
  switch (cause.type) {
    case 'refused': {
      const { file, line, column } = cause.place ?? start;
      return {
        ...{ code: 'refused', message: `Envoy ${cause.node} refused it: ${cause.message}`, file, line, column },
        hint: 'the last good release is back; git revert the commit, or shardplane retry it once the Envoy is fixed',
      };
    }
    case 'check':
      return {
        ...{ code: 'check-failed', message: `the check "${cause.name}" failed: ${cause.message}`, ...start },
        hint: 'the last good release is back; git revert the commit, or shardplane retry it once the cause is found',
      };
    case 'aborted':
      return {
        ...{ code: 'aborted', message: `${cause.by} aborted the rollout${because(cause.why)}`, ...start },
        hint: 'the last good release is back; git revert the commit, or shardplane retry it',
      };
  }
}
