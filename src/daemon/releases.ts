import type { Version } from '../ids.ts';
import type { Candidate } from '../rollout/candidate.ts';
import { readRuntimeName } from '../release/encode.ts';
import { encodeLayer } from '../release/layer.ts';
import type { Layer } from '../release/layer.ts';
import type { Release } from '../release/release.ts';
import { encodedRuntime, type EncodedRelease } from '../xds/push.ts';

/** A release with its bytes, and its content as text. */
export interface ReleaseBytes extends EncodedRelease {
  readonly release: Release;
  readonly resource: Buffer;
  readonly content: string;
}

/** A release, and its bytes if encoded already. */
export interface Compiled {
  readonly release: Release;
  readonly resource: Uint8Array | null;
  readonly content: string;
}

interface Stored extends Compiled {
  readonly resource: Uint8Array;
}

/** The few releases that may be pushed, with their bytes: encoded once, when first needed. */
export class Releases {
  readonly #layer: Layer;
  readonly #kept = new Map<Version, ReleaseBytes>();
  /** The last one judged: it may be released in a moment. */
  #candidate: Compiled | null = null;
  /** The last one encoded. */
  #stage: ReleaseBytes | null = null;

  constructor(layer: Layer, stored: readonly Stored[] = []) {
    this.#layer = layer;
    this.restore(stored);
  }

  /** Takes releases of the last process. If `xds.resource` has changed, their bytes are encoded again: Envoy would refuse the old name. */
  restore(stored: readonly Stored[]): void {
    for (const each of stored) {
      const resource = readRuntimeName(each.resource) === this.#layer.resource ? each.resource : null;
      this.#kept.set(each.release.version, this.#encode({ ...each, resource }));
    }
  }

  put(compiled: Compiled): void {
    this.#candidate = compiled;
  }

  get(version: Version | null): ReleaseBytes | null {
    if (version === null) return null;
    const candidate = this.#candidate;
    if (candidate?.release.version === version && !this.#kept.has(version))
      this.#kept.set(version, this.#encode(candidate));
    return this.#kept.get(version) ?? null;
  }

  /** A stage of a candidate: the live release, with the candidate as the next view of some customers. Null if one of both is not here. */
  stage(candidate: Candidate, live: Version | null): ReleaseBytes | null {
    const { offered, stage } = candidate;
    const [now, next] = [this.get(live), this.get(candidate.version)];
    if (offered === null || stage === null || now === null || next === null) return null;
    if (this.#stage?.version === offered) return this.#stage;
    const { version, config } = next.release;
    const view = { config, version, cutover: stage.cutover, first: new Set(stage.first) };
    const release = { ...now.release, next: view };
    const resource = encodeLayer(release, this.#layer);
    this.#stage = { ...next, ...encodedRuntime(offered, this.#layer.resource, resource), release, resource };
    return this.#stage;
  }

  /** Drops all others. */
  keep(versions: ReadonlySet<Version>): void {
    for (const version of this.#kept.keys()) if (!versions.has(version)) this.#kept.delete(version);
  }

  /** Those of `versions` that are here. */
  of(versions: Iterable<Version>): ReleaseBytes[] {
    return [...versions].map((version) => this.get(version)).filter((release) => release !== null);
  }

  #encode({ release, resource, content }: Compiled): ReleaseBytes {
    const bytes = resource === null ? encodeLayer(release, this.#layer) : toBuffer(resource);
    return { ...encodedRuntime(release.version, this.#layer.resource, bytes), release, resource: bytes, content };
  }
}

/** Shares the bytes. */
function toBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
