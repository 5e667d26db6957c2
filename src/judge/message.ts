import type { Diagnostic } from '../config/diagnostic.ts';
import type { Layer } from '../release/layer.ts';

/** What the thread is started with. */
export interface ThreadData {
  /** The user's own JSON Schema, or null for ours. */
  readonly schema: object | null;
}

/** A file to be read. `commit`: and to be compiled for that commit. */
export interface ReadRequest {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly file: string;
  readonly commit: { readonly version: string; readonly layer: Layer } | null;
}

/** What came of it. Buffers, which change threads without being copied. */
export interface ReadResult {
  readonly diagnostics: readonly Diagnostic[];
  readonly compiled: {
    /** `v8.serialize` of a part of the release's fields each, in order: none is much work to read. */
    readonly fields: readonly Uint8Array<ArrayBuffer>[];
    /** As encodeLayer makes it. */
    readonly resource: Uint8Array<ArrayBuffer>;
  } | null;
}
