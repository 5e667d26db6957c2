import type { RemoteSource } from '../git/follow/remote-source.ts';
import type { Source } from '../git/follow/source.ts';
import { servedVersions } from '../state/memory.ts';
import type { State } from '../state/state.ts';
import type { Effect } from '../state/step.ts';
import { toRolloutMemory } from '../rollout/state.ts';
import type { XdsServer } from '../xds/xds-server.ts';
import type { Judging } from './judging.ts';
import type { Releases } from './releases.ts';

export interface EffectsOptions {
  readonly xds: Pick<XdsServer, 'offer' | 'withhold' | 'isWithheld'>;
  readonly state: State;
  readonly releases: Pick<Releases, 'get' | 'keep'>;
  readonly source: Pick<Source | RemoteSource, 'accept'>;
  readonly judging: Pick<Judging, 'begin'>;
}

/** Carries out the effects of a step. */
export function createEffects({ state, xds, releases, source, judging }: EffectsOptions): (effect: Effect) => void {
  return (effect) => {
    switch (effect.type) {
      case 'offer': {
        const release = releases.get(effect.version);
        // With nothing left to offer, Envoys keep what they have: git may still have a release.
        if (release === null) xds.withhold();
        else xds.offer(release);
        return releases.keep(servedVersions({ rollout: toRolloutMemory(state.rollout) }));
      }
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
