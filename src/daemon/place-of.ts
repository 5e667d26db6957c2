import { locateKey } from '../config/locate-key.ts';
import type { Place } from '../rollout/types.ts';

/** Finds the place in a release's config file that Envoy's message is about. */
export type PlaceOf = (version: string, message: string) => Place;

/** The runtime key that Envoy's message names, or null. The text may change between versions (checked with 1.36 to 1.40). */
function keyOfRefusal(message: string): string | null {
  return /Invalid runtime entry value for (\S+)/.exec(message)?.[1] ?? null;
}

/**
 * Finds the place of a refused key in the config file. `sourceOf`: a release's file, if known. Remembers the last one, since a whole
 * fleet refuses for the same reason.
 */
export function createPlaceOf(file: string, sourceOf: (version: string) => Uint8Array | null): PlaceOf {
  let last: { readonly version: string; readonly place: Place } | null = null;
  return (version, message) => {
    const key = keyOfRefusal(message);
    if (last?.version === version && last.place.key === key) return last.place;
    const source = sourceOf(version);
    const position = key !== null && source !== null ? locateKey(source, key) : null;
    last = { version, place: { key, file, line: position?.line ?? 1, column: position?.column ?? 1 } };
    return last.place;
  };
}
