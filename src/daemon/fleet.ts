import type { RolloutStatus, Status } from '../http/api.ts';
import type { SessionId, Version } from '../ids.ts';
import { aimOf, countNodes, countReached, nodeState } from '../rollout/targets.ts';
import { voteOf } from '../rollout/votes.ts';
import type { Release } from '../release/release.ts';
import type { RolloutState } from '../rollout/state.ts';
import type { Cause, Counts, Live } from '../rollout/types.ts';
import type { ReleaseBytes, Releases } from './releases.ts';
import { toFreezeStatus, toRolloutStatus } from './rollout-status.ts';

/** A read-only view of the rollout; only the controller changes it. */
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

  /** What every node is to have in the end: the candidate, or the live release. */
  get target(): ReleaseBytes | null {
    return this.#releases.get(aimOf(this.#state));
  }

  get live(): (ReleaseBytes & Live) | null {
    const { live } = this.#state;
    const release = this.#releases.get(live?.version ?? null);
    return release && live && { ...release, ...live };
  }

  /** What nodes have that no wave has reached: the live release; while customers are moved, it with the candidate as its next view. */
  get common(): Release | null {
    const { candidate, live } = this.#state;
    const stage = candidate?.stage == null ? null : this.#releases.stage(candidate, live?.version ?? null);
    return stage?.release ?? this.live?.release ?? null;
  }

  /** What a wave of nodes has instead, and how many they are; null: there is none. */
  get ahead(): { readonly release: Release; readonly nodes: number; readonly connected: number } | null {
    const { candidate, nodes } = this.#state;
    if (candidate?.offered == null || candidate.stage !== null) return null;
    const release = this.#releases.get(candidate.version)?.release ?? null;
    return release && { release, nodes: countReached(this.#state), connected: nodes.size };
  }

  /** The number of pinned releases. */
  get pinned(): number {
    return this.#state.pins.size;
  }

  /** node.ids whose vote was taken away. */
  get muted(): ReadonlySet<string> {
    return this.#state.muted;
  }

  isConnected(id: string): boolean {
    return this.#state.ids.has(id);
  }

  /** The node, or its client, still owes releases for a rollback that it caused alone. */
  hasLostVote(id: string): boolean {
    const { strikes, clientStrikes, nodes } = this.#state;
    const clients = [...nodes.values()].filter((node) => node.id === id && node.client !== null);
    const owing = [strikes.get(id), ...clients.map(({ client }) => clientStrikes.get(client ?? ''))];
    return owing.some((each) => (each?.owed ?? 0) > 0);
  }

  /** Why a version was rolled back and is pinned, or null. */
  causeOf(version: Version): Cause | null {
    return this.#state.pins.get(version) ?? null;
  }

  nodeOf(session: SessionId) {
    const node = this.#state.nodes.get(session) ?? null;
    const vote = node && voteOf(this.#state, node, this.#now());
    const isReached = this.#state.candidate !== null && node?.isReached === true;
    return { state: nodeState(this.#state, session), node, vote, isReached };
  }

  /** What is being rolled out. `checksOff`: why the built-in check is off, or null. */
  rollout(checksOff: string | null): RolloutStatus | null {
    const subject = this.target?.release.subject ?? '';
    return toRolloutStatus(this.#state, { now: this.#now(), subject, checksOff });
  }

  get freeze(): Status['freeze'] {
    return toFreezeStatus(this.#state, this.#now());
  }

  counts(): Counts {
    return countNodes(this.#state);
  }
}
