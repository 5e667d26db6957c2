import { locateKey } from '../config/locate-key.ts';
import type { Place } from '../rollout/types.ts';
import type { PlaceOf } from './answers.ts';

/** The runtime key that Envoy's words are about, or null. Its text is not stable across versions (1.36 to 1.40 say this). */
export function keyOfRefusal(message: string): string | null {
  return /Invalid runtime entry value for (\S+)/.exec(message)?.[1] ?? null;
}

/** Where in the config file a refused key stands. `sourceOf`: a release's file, if it is at hand. A fleet refuses as one: looked up once. */
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
