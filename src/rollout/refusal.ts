import type { Diagnostic } from '../config/diagnostic.ts';
import type { Refusal } from './types.ts';

/** An Envoy's NACK as a diagnostic: its message, at the key's line. */
export function diagnoseRefusal({ node, message, place }: Refusal): Diagnostic {
  return {
    code: 'refused',
    message: `Envoy ${node} refused it: ${message}`,
    file: place?.file ?? '',
    line: place?.line ?? 1,
    column: place?.column ?? 1,
    hint: 'the last good release is back; git revert the commit, or shardplane retry it once the Envoy is fixed',
  };
}
