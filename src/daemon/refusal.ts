import type { Diagnostic } from '../config/diagnostic.ts';
import { locateKey } from '../config/locate-key.ts';
import type { Place } from '../ledger/entry.ts';
import type { Refusal } from '../rollout/types.ts';

/** The runtime key that Envoy's words are about, or null. Its text is not stable across versions (1.36 to 1.40 say this). */
export function keyOfRefusal(message: string): string | null {
  return /Invalid runtime entry value for (\S+)/.exec(message)?.[1] ?? null;
}

/** Where in the config file a refused key stands. `source` is the file, if it is at hand. */
export function placeOfRefusal(refusal: Refusal, file: string, source: Uint8Array | null): Place {
  const key = keyOfRefusal(refusal.message);
  const position = key !== null && source !== null ? locateKey(source, key) : null;
  return { key, file, line: position?.line ?? 1, column: position?.column ?? 1 };
}

/** An Envoy's NACK as a diagnostic: its own words, at the key's line. */
export function diagnoseRefusal(refusal: Refusal, place: Place): Diagnostic {
  return {
    code: 'refused',
    message: `Envoy ${refusal.node} refused it: ${refusal.message}`,
    file: place.file,
    line: place.line,
    column: place.column,
    hint: 'the last good release is back; git revert the commit, or shardplane retry it once the Envoy is mended',
  };
}
