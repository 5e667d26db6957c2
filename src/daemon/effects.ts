import type { RemoteSource } from '../git/follow/remote-source.ts';
import type { Source } from '../git/follow/source.ts';
import { servedVersions } from '../state/memory.ts';
import type { State } from '../state/state.ts';
import type { Effect } from '../state/step.ts';
import { toRolloutMemory } from '../rollout/state.ts';
import type { XdsServer } from '../xds/xds-server.ts';
import type { Judging } from './judging.ts';
import type { Problems } from './problems.ts';
import type { Releases } from './releases.ts';

export interface EffectsOptions {
  readonly xds: Pick<XdsServer, 'offer' | 'withhold' | 'isWithheld'>;
  readonly state: State;
  readonly releases: Pick<Releases, 'get' | 'keep'>;
  readonly source: Pick<Source | RemoteSource, 'accept'>;
  readonly judging: Pick<Judging, 'begin'>;
  readonly problems: Pick<Problems, 'end'>;
}

/** Carries out the effects of a step. */
export function createEffects(options: EffectsOptions): (effect: Effect) => void {
  const { state, xds, releases, source, judging, problems } = options;
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
        source.accept(effect.tip);
        return problems.end('rewritten');
      case 'judge':
      case 'list':
        return judging.begin(effect);
    }
  };
}
