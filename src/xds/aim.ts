import type { EncodedRelease } from './push.ts';
import type { NodeIdentity, Target } from './stream/types.ts';

/** What the nodes of a wave are offered, unlike the rest. */
export interface WaveOffer {
  readonly release: EncodedRelease;
  readonly includes: (node: NodeIdentity) => boolean;
}

/** What every node should have. */
export interface Aim {
  readonly rest: Target;
  readonly wave: { readonly target: Target; readonly includes: WaveOffer['includes'] } | null;
}

/** `seq`: of the offer. */
export function createAim(seq: number, release: EncodedRelease, wave: WaveOffer | null = null): Aim {
  const toWave = wave && { target: toTarget(seq, wave.release), includes: wave.includes };
  return { rest: toTarget(seq, release), wave: toWave };
}

/** A stream without a node has asked for nothing yet. */
export function targetFor({ rest, wave }: Aim, node: NodeIdentity | null): Target {
  return wave !== null && node !== null && wave.includes(node) ? wave.target : rest;
}

function toTarget(seq: number, { version, resources }: EncodedRelease): Target {
  return { seq, version, resources };
}
