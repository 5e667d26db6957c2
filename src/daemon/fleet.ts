import { countNodes, nodeState, targetOf, voteOf } from '../rollout/state.ts';
import type { RolloutState } from '../rollout/state.ts';
import type { Counts, Live, Refusal } from '../rollout/types.ts';
import type { ReleaseBytes, Releases } from './releases.ts';

/** What can be asked of the rollout; only the controller moves it. */
export class Fleet {
  readonly #state: RolloutState;
  readonly #releases: Releases;
  readonly #now: () => number;

  /** `now`: milliseconds since the epoch. */
  constructor(state: RolloutState, releases: Releases, now: () => number) {
    this.#state = state;
    this.#releases = releases;
    this.#now = now;
  }

  /** What every node shall have. */
  get target(): ReleaseBytes | null {
    return this.#releases.get(targetOf(this.#state));
  }

  get live(): (ReleaseBytes & Live) | null {
    const { live } = this.#state;
    const release = this.#releases.get(live?.version ?? null);
    return release && live && { ...release, ...live };
  }

  /** How many releases are pinned. */
  get pinned(): number {
    return this.#state.pins.size;
  }

  /** node.ids whose vote was taken away. */
  get muted(): ReadonlySet<string> {
    return this.#state.muted;
  }

  /** It has a stream. */
  isConnected(id: string): boolean {
    return this.#state.ids.has(id);
  }

  /** It, or another of its client, has rolled a release back alone, and that is not made up for. */
  hasLostVote(id: string): boolean {
    const { strikes, clientStrikes, nodes } = this.#state;
    const clients = [...nodes.values()].filter((node) => node.id === id && node.client !== null);
    const owing = [strikes.get(id), ...clients.map(({ client }) => clientStrikes.get(client ?? ''))];
    return owing.some((each) => (each?.owed ?? 0) > 0);
  }

  /** Why a version is pinned, or null: it is not. */
  refusalOf(version: string): Refusal | null {
    return this.#state.pins.get(version) ?? null;
  }

  nodeOf(session: string) {
    const node = this.#state.nodes.get(session) ?? null;
    const vote = node && voteOf(this.#state, node, this.#now());
    return { state: nodeState(this.#state, session), node, vote };
  }

  counts(): Counts {
    return countNodes(this.#state);
  }
}
