import type { Diagnostic } from '../config/diagnostic.ts';
import type { Layer } from '../release/layer.ts';
import type { WrittenContent } from './write-content.ts';
import type { ConfigParts } from './config-parts.ts';

/** What the thread is started with. */
export interface ThreadData {
  /** The user's own JSON Schema, or null for ours. */
  readonly schema: object | null;
}

/** A file to read and, with `commit`, to compile for it. */
export interface ReadRequest {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly file: string;
  readonly commit: { readonly version: string; readonly layer: Layer } | null;
}

/** The result. Its buffers are transferred, not copied. */
export interface ReadResult {
  readonly diagnostics: readonly Diagnostic[];
  readonly compiled: CompiledParts | null;
}

/** A compiled release, as it is sent between threads. */
export interface CompiledParts extends WrittenContent {
  readonly config: ConfigParts;
  /** As encodeLayer makes it. */
  readonly resource: Uint8Array<ArrayBuffer>;
}
