import { toFields } from './compile.ts';
import { encodeRuntime } from './encode.ts';
import type { Encoding } from './packed.ts';
import type { Release } from './release.ts';

/** How a release is pushed. */
export interface Layer {
  /** Name of the RTDS resource. */
  readonly resource: string;
  /** How customers' sizes are pushed. */
  readonly encoding: Encoding;
}

/** Encodes a release for the push. */
export function encodeLayer(release: Release, { resource, encoding }: Layer): Buffer {
  return encodeRuntime(toFields(release, encoding), resource);
}
