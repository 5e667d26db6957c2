import type { Json } from '../config/config.ts';
import { encodeRuntime } from './encode.ts';
import { encodeSizes, type Encoding } from './packed.ts';

/** How a release is pushed. */
export interface Layer {
  /** Name of the RTDS resource. */
  readonly resource: string;
  /** How customers' sizes are pushed. */
  readonly encoding: Encoding;
}

/** Encodes a release's fields for the push. */
export function encodeLayer(fields: ReadonlyMap<string, Json>, { resource, encoding }: Layer): Buffer {
  return encodeRuntime(encodeSizes(fields, encoding), resource);
}
