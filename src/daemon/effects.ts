import type { RemoteSource } from '../git/follow/remote-source.ts';
import type { Source } from '../git/follow/source.ts';
import { servedVersions } from '../state/memory.ts';
import type { Version } from '../ids.ts';
import type { Journal } from '../ledger/journal.ts';
import { isAtOnce, type Candidate } from '../rollout/candidate.ts';
import { targetOf } from '../rollout/targets.ts';
import type { State } from '../state/state.ts';
import type { Effect } from '../state/step.ts';
import { toRolloutMemory } from '../rollout/state.ts';
import type { XdsServer } from '../xds/xds-server.ts';
import type { Judging } from './judging.ts';
import type { ReleaseBytes, Releases } from './releases.ts';

export type Offering = Pick<EffectsOptions, 'state'> & {
  readonly xds: Pick<XdsServer, 'offer' | 'withhold'>;
  readonly releases: Pick<Releases, 'get' | 'stage'>;
};

export interface EffectsOptions {
  readonly xds: Pick<XdsServer, 'offer' | 'withhold' | 'isWithheld'>;
  readonly state: State;
  readonly releases: Pick<Releases, 'get' | 'stage' | 'keep'>;
  readonly source: Pick<Source | RemoteSource, 'accept'>;
  readonly judging: Pick<Judging, 'begin'>;
  readonly journal: Pick<Journal, 'settled'>;
}

/** Offers each node what `targetOf` says. */
export function offerEach({ state: { rollout }, xds, releases }: Offering): void {
  const { candidate, live } = rollout;
  const base = releases.get(live?.version ?? null);
  const next = candidate?.offered == null ? null : bytesOf(candidate, live?.version ?? null, releases);
  // With nothing left to offer, Envoys keep what they have: git may still have a release.
  if (next === null) return base === null ? xds.withhold() : xds.offer(base);
  if (candidate === null || candidate.reach.isEveryone) return xds.offer(next);
  xds.offer(base, {
    release: next,
    includes: (node) => targetOf({ candidate, live }, node) === candidate.offered,
  });
}

function bytesOf(candidate: Candidate, live: Version | null, releases: Offering['releases']): ReleaseBytes | null {
  return candidate.stage === null ? releases.get(candidate.version) : releases.stage(candidate, live);
}

/** Carries out the effects of a step. */
export function createEffects(options: EffectsOptions): (effect: Effect) => void {
  const { xds, source, judging } = options;
  const offer = createOffer(options);
  return (effect) => {
    switch (effect.type) {
      case 'offer':
        return offer();
      case 'offer_nothing':
        if (xds.isWithheld) xds.offer(null);
        return;
      case 'accept_tip':
        return source.accept(effect.tip);
      case 'judge':
      case 'list':
        return judging.begin(effect);
    }
  };
}

/**
 * A wave is written before it is pushed: a restart would take it back from nodes that have it, and might use the number of a stage
 * again. A rollback, and what goes to everyone at once, waits for no disk.
 */
function createOffer({ state, xds, releases, journal }: EffectsOptions): () => void {
  let newest = 0;
  const offer = (): void => {
    offerEach({ state, xds, releases });
    releases.keep(servedVersions({ rollout: toRolloutMemory(state.rollout) }));
  };
  return () => {
    const { candidate } = state.rollout;
    const mine = (newest += 1);
    if (candidate === null || isAtOnce(candidate)) return offer();
    releases.get(candidate.version); // keeps it: another may be judged meanwhile
    void journal.settled().then(() => {
      if (mine === newest) offer();
    });
  };
}
