import type { ProviderName } from './providers.ts';
import { isNews } from './providers.ts';
import { setNewest } from '../newest.ts';
import type { CommitStatus } from './commit-status.ts';

/** A status that waits to be sent. Times are milliseconds since the epoch. */
export interface QueuedStatus {
  readonly status: CommitStatus;
  readonly since: number;
  readonly notBefore: number;
}

/** Bounds: commits in the outbox, and commits whose last status is remembered. */
const waitingAtMost = 100;
const rememberedAtMost = 1000;
/** So many pending statuses are sent of one commit, as its rollout goes on: hosts take 1,000 (GitHub), and an operator may pause often. */
const pendingAtMost = 100;
/** A pending status waits this long: a release that is live by then needs one call instead of two. */
const pendingWaitsMs = 1000;

/** Statuses to send, one per commit: a newer one replaces it. The newest commit goes first. */
export class Outbox {
  readonly #provider: ProviderName;
  readonly #waiting = new Map<string, QueuedStatus>();
  /** The last status of each commit that the host has accepted. */
  readonly #accepted = new Map<string, CommitStatus>();
  /** How many pending ones the host has accepted of each of these. */
  readonly #pending = new Map<string, number>();
  /** Being sent: the host may have it already. */
  #underWay: CommitStatus | null = null;

  constructor(provider: ProviderName) {
    this.#provider = provider;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Ignores a status that tells the host nothing new. */
  put(status: CommitStatus, now: number): void {
    if (status.state === 'pending' && (this.#pending.get(status.version) ?? 0) >= pendingAtMost) return;
    const underWay = this.#underWay?.version === status.version ? this.#underWay : null;
    if (!isNews(this.#provider, underWay ?? this.#accepted.get(status.version) ?? null, status)) {
      if (this.#waiting.get(status.version)?.status !== underWay) this.#waiting.delete(status.version);
      return;
    }
    const notBefore = status.state === 'pending' ? now + pendingWaitsMs : now;
    setNewest(this.#waiting, status.version, { status, since: now, notBefore }, waitingAtMost);
  }

  /** The next status to send, else how long until there is one; null when the outbox is empty. */
  next(now: number): QueuedStatus | { readonly waitMs: number } | null {
    const queued = [...this.#waiting.values()].reverse();
    const due = queued.find(({ notBefore }) => notBefore <= now);
    this.#underWay = due?.status ?? null;
    if (due !== undefined) return due;
    return queued.length === 0 ? null : { waitMs: Math.min(...queued.map(({ notBefore }) => notBefore)) - now };
  }

  accepted({ status }: QueuedStatus): void {
    setNewest(this.#accepted, status.version, status, rememberedAtMost);
    if (status.state === 'pending')
      setNewest(this.#pending, status.version, (this.#pending.get(status.version) ?? 0) + 1, rememberedAtMost);
    this.drop(status);
  }

  /** Removes the status, unless a newer one has replaced it. */
  drop(status: CommitStatus): void {
    if (this.#waiting.get(status.version)?.status === status) this.#waiting.delete(status.version);
  }
}
