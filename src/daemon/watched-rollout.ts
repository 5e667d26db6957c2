import type { Checks } from '../checks/checks.ts';
import type { WatchedRollout } from '../checks/watched.ts';
import type { Version } from '../ids.ts';
import { isAtOnce, type Candidate } from '../rollout/candidate.ts';
import type { RolloutState } from '../rollout/state.ts';
import { reachedIds } from '../rollout/targets.ts';
import type { XdsServer } from '../xds/xds-server.ts';

interface WatchOptions {
  readonly state: RolloutState;
  readonly checks: Pick<Checks, 'watch'>;
  readonly xds: Pick<XdsServer, 'setLoadInterval'>;
}

/** How often nodes report their load: more often while a release is on its way, wave by wave. */
const loadMs = { idle: 10_000, rollout: 2_000 };

/** For so long after a rollout they still do: what its last requests came to would else be in the first report of the next. */
const lingerMs = 10_000;

/** Tells the checks which gradual rollout is on; call it after each event. Nodes report more often meanwhile. */
export function createWatch({ state, checks, xds }: WatchOptions): () => void {
  let watched: WatchedRollout | null = null;
  let idle: NodeJS.Timeout | undefined;
  return () => {
    const before = watched;
    watched = follow(before, state);
    checks.watch(watched);
    if (watched === before) return;
    clearTimeout(idle);
    if (watched === null) idle = setTimeout(() => xds.setLoadInterval(loadMs.idle), lingerMs).unref();
    else xds.setLoadInterval(loadMs.rollout);
  };
}

/** The same object as long as its wave is the same. */
function follow(watched: WatchedRollout | null, state: RolloutState): WatchedRollout | null {
  const { candidate } = state;
  if (candidate === null || candidate.offered === null || isAtOnce(candidate)) return null;
  const { offered, waveAt, startedAt } = candidate;
  const isSame = watched?.version === offered && watched.since === waveAt && watched.startedAt === startedAt;
  return isSame ? watched : toWatched(state, candidate, offered);
}

function toWatched(state: RolloutState, candidate: Candidate, version: Version): WatchedRollout {
  const { waveAt: since, startedAt, reach, baseline } = candidate;
  const wave = new WaveNodes(state);
  return {
    ...{ version, since, startedAt, baseline, isEveryone: reach.isEveryone },
    includes: (node) => reach.isEveryone || wave.has(node),
    nodes: () => [...reachedIds(state)],
  };
}

/** How long the connected nodes are known: thousands of them are asked about at once. */
const freshMs = 500;
/** Nodes that a wave has reached, connected or not: more than a fleet has. */
const maxSeen = 20_000;

/** The nodes of one wave. Those that have left still count: what they did, they did with the candidate. */
class WaveNodes {
  readonly #state: RolloutState;
  readonly #seen = new Set<string>();
  #readAt = -Infinity;

  constructor(state: RolloutState) {
    this.#state = state;
  }

  has(id: string): boolean {
    const now = performance.now();
    if (now - this.#readAt > freshMs) {
      this.#readAt = now;
      for (const connected of reachedIds(this.#state)) if (this.#seen.size < maxSeen) this.#seen.add(connected);
    }
    return this.#seen.has(id);
  }
}
