import { encodeLayer } from '../release/layer.ts';
import type { Layer } from '../release/layer.ts';
import type { Release } from '../release/release.ts';
import type { RolloutMemory, RolloutState } from '../rollout/state.ts';
import { createRollout, nextDeadline, nodeState, targetOf, voteOf } from '../rollout/state.ts';
import { step } from '../rollout/step.ts';
import type { NodeState, Refusal, RolloutAction, RolloutEvent } from '../rollout/types.ts';
import type { EncodedRelease } from '../xds/push.ts';

/** A release with its bytes. */
export interface FleetRelease extends EncodedRelease {
  readonly release: Release;
}

interface Offered {
  readonly release: Release;
  readonly resource: Uint8Array | null;
}

/** Each state's number of nodes, and all of them. */
export type Counts = Readonly<Record<'connected' | NodeState, number>>;

export interface FleetOptions extends Layer {
  readonly ackTimeoutMs: number;
  /** Part of the members (0 to 1) whose ACKs prove a release. */
  readonly quorum: number;
  /** How long a node must have held an accepted release before its word alone rolls one back. Default: 5 s. */
  readonly voteAfterMs?: number;
  readonly memory: RolloutMemory & {
    readonly releases: ReadonlyMap<string, { release: Release; resource: Uint8Array }>;
  };
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Carries out what the rollout wants; the only place where its decisions have effects. */
  readonly carryOut: (action: RolloutAction) => void;
  /** Nobody is waited for any more. */
  readonly settled: (version: string, counts: Counts) => void;
}

/** Long enough for one that comes and goes to have no say, short enough that a fleet has its own soon after a restart. */
const defaultVoteAfterMs = 5_000;

/** The shell around the rollout's reducer: holds its state, its releases and its one timer. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #state: RolloutState;
  readonly #releases = new Map<string, FleetRelease>();
  #timer: NodeJS.Timeout | null = null;
  /** The target that has not been reported as settled. */
  #unsettled: string | null = null;

  constructor(options: FleetOptions) {
    this.#options = options;
    const { ackTimeoutMs, quorum, voteAfterMs = defaultVoteAfterMs } = options;
    const { live, proven, releases } = options.memory;
    // A version whose bytes are lost can't be served: it is rolled out again when git has it.
    const have = (version: string | null | undefined): boolean => version != null && releases.has(version);
    this.#state = createRollout(
      { ackTimeoutMs, quorum, voteAfterMs },
      { ...options.memory, live: have(live?.version) ? live : null, proven: have(proven) ? proven : null },
    );
    for (const { release, resource } of releases.values())
      this.#releases.set(release.version, {
        release,
        version: release.version,
        resource: Buffer.from(resource),
      });
  }

  /** Rolls a release out, with its bytes where they were made already. `retry` takes a pin back first. */
  release({ release, resource: made }: Offered, how: 'release' | 'retry' = 'release'): void {
    const { version } = release;
    if (!this.#releases.has(version)) {
      const resource = made === null ? encodeLayer(release.fields, this.#options) : toBuffer(made);
      this.#releases.set(version, { release, version, resource });
    }
    this.apply({ type: how, at: this.#options.now(), version });
  }

  /** Moves the rollout and carries out what it wants. */
  apply(event: RolloutEvent): void {
    for (const action of step(this.#state, event)) {
      if (action.type === 'offer') this.#onOffer(action.version);
      this.#options.carryOut(action);
    }
    this.#settle();
    this.#arm();
  }

  get target(): FleetRelease | null {
    return this.get(targetOf(this.#state));
  }

  /** A release is on its way: it is neither live nor refused yet. */
  get isUndecided(): boolean {
    return this.#state.candidate !== null;
  }

  get live(): (FleetRelease & { readonly since: number; readonly proven: boolean }) | null {
    const { live } = this.#state;
    const release = this.get(live?.version ?? null);
    return release && live && { ...release, since: live.since, proven: live.proven };
  }

  get(version: string | null): FleetRelease | null {
    return version === null ? null : (this.#releases.get(version) ?? null);
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

  isPinned(version: string): boolean {
    return this.#state.pins.has(version);
  }

  nodeOf(session: string) {
    const node = this.#state.nodes.get(session) ?? null;
    const vote = node && voteOf(this.#state, node, this.#options.now());
    return { state: nodeState(this.#state, session), node, vote };
  }

  counts(): Counts {
    const counts = { connected: this.#state.nodes.size, acked: 0, pending: 0, refusing: 0, unanswered: 0 };
    for (const session of this.#state.nodes.keys()) counts[nodeState(this.#state, session)] += 1;
    return counts;
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
  }

  #onOffer(version: string | null): void {
    this.#unsettled = version;
    this.#forget();
  }

  #settle(): void {
    if (this.#unsettled === null || this.#state.waiting.size > 0) return;
    const version = this.#unsettled;
    this.#unsettled = null;
    this.#options.settled(version, this.counts());
  }

  /** Keeps the bytes of what may be pushed again: the target, the live release and the newest proven one. */
  #forget(): void {
    const { live, proven } = this.#state;
    const kept = new Set([targetOf(this.#state), live?.version, proven]);
    for (const version of this.#releases.keys()) if (!kept.has(version)) this.#releases.delete(version);
  }

  /** Deadlines only move on: the timer that runs comes in time, and not each of 5,000 ACKs needs a new one. */
  #arm(): void {
    if (this.#timer) return;
    const due = nextDeadline(this.#state);
    if (due === null) return;
    const { now } = this.#options;
    const tick = (): void => {
      this.#timer = null;
      this.apply({ type: 'tick', at: now() });
    };
    this.#timer = setTimeout(tick, Math.max(0, due - now())).unref();
  }
}

/** The same bytes, not a copy. */
function toBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
