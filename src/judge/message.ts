import type { Diagnostic } from '../config/diagnostic.ts';
import type { Layer } from '../release/layer.ts';

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
  readonly compiled: {
    /** The release's fields in order, in parts that are each quick to read: `v8.serialize` of some entries. */
    readonly fields: readonly Uint8Array<ArrayBuffer>[];
    /** As encodeLayer makes it. */
    readonly resource: Uint8Array<ArrayBuffer>;
    /** Of its content. */
    readonly digest: string;
  } | null;
}
