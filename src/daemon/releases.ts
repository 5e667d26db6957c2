import { readRuntimeName } from '../release/encode.ts';
import { encodeLayer } from '../release/layer.ts';
import type { Layer } from '../release/layer.ts';
import type { Release } from '../release/release.ts';
import type { EncodedRelease } from '../xds/push.ts';

/** A release with its bytes, and its content as text. */
export interface ReleaseBytes extends EncodedRelease {
  readonly release: Release;
  readonly resource: Buffer;
  readonly content: string;
}

/** The same, with its bytes where they were made already. */
export interface Compiled {
  readonly release: Release;
  readonly resource: Uint8Array | null;
  readonly content: string;
}

interface Stored extends Compiled {
  readonly resource: Uint8Array;
}

/** The few releases that are pushed, or may be again, with their bytes: encoded once, when they are first needed. */
export class Releases {
  readonly #layer: Layer;
  readonly #kept = new Map<string, ReleaseBytes>();
  /** Judged last: it may be released in a moment. */
  #candidate: Compiled | null = null;

  constructor(layer: Layer, stored: readonly Stored[] = []) {
    this.#layer = layer;
    this.restore(stored);
  }

  /** Those that were kept over a restart. Envoy takes none under another name: bytes of other settings are made anew. */
  restore(stored: readonly Stored[]): void {
    for (const each of stored) {
      const resource = readRuntimeName(each.resource) === this.#layer.resource ? each.resource : null;
      this.#kept.set(each.release.version, this.#encode({ ...each, resource }));
    }
  }

  put(compiled: Compiled): void {
    this.#candidate = compiled;
  }

  get(version: string | null): ReleaseBytes | null {
    if (version === null) return null;
    const candidate = this.#candidate;
    if (candidate?.release.version === version && !this.#kept.has(version))
      this.#kept.set(version, this.#encode(candidate));
    return this.#kept.get(version) ?? null;
  }

  /** All others are forgotten. */
  keep(versions: ReadonlySet<string>): void {
    for (const version of this.#kept.keys()) if (!versions.has(version)) this.#kept.delete(version);
  }

  /** Those of these that are at hand. */
  of(versions: Iterable<string>): ReleaseBytes[] {
    return [...versions].map((version) => this.get(version)).filter((release) => release !== null);
  }

  #encode({ release, resource, content }: Compiled): ReleaseBytes {
    const bytes = resource === null ? encodeLayer(release, this.#layer) : toBuffer(resource);
    return { version: release.version, release, resource: bytes, content };
  }
}

/** The same bytes, not a copy. */
function toBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
