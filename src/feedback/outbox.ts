import type { ProviderName } from './providers.ts';
import { isNews } from './providers.ts';
import { setNewest } from '../newest.ts';
import type { CommitStatus } from './commit-status.ts';

/** A status that waits to be sent. Times are milliseconds since the epoch. */
export interface Letter {
  readonly status: CommitStatus;
  readonly since: number;
  readonly notBefore: number;
}

/** Commits that wait, and commits whose last status is remembered. */
const waitingAtMost = 100;
const rememberedAtMost = 1000;
/** A release that goes live within this time is never said to be pending: one call instead of two. */
const pendingWaitsMs = 1000;

/** Statuses by commit: the newest of a commit takes the place of the one before; the newest commit goes first. */
export class Outbox {
  readonly #provider: ProviderName;
  readonly #waiting = new Map<string, Letter>();
  /** What the host has taken. */
  readonly #taken = new Map<string, CommitStatus>();
  /** What was handed out last: the host may have it already. */
  #underWay: CommitStatus | null = null;

  constructor(provider: ProviderName) {
    this.#provider = provider;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Drops what tells the host nothing new. */
  put(status: CommitStatus, now: number): void {
    const underWay = this.#underWay?.version === status.version ? this.#underWay : null;
    if (!isNews(this.#provider, underWay ?? this.#taken.get(status.version) ?? null, status)) {
      if (this.#waiting.get(status.version)?.status !== underWay) this.#waiting.delete(status.version);
      return;
    }
    const notBefore = status.state === 'pending' ? now + pendingWaitsMs : now;
    setNewest(this.#waiting, status.version, { status, since: now, notBefore }, waitingAtMost);
  }

  /** The newest commit's letter that may go now, else how long until one may (null: none waits). */
  next(now: number): Letter | { readonly waitMs: number } | null {
    const letters = [...this.#waiting.values()].reverse();
    const due = letters.find(({ notBefore }) => notBefore <= now);
    this.#underWay = due?.status ?? null;
    if (due !== undefined) return due;
    return letters.length === 0 ? null : { waitMs: Math.min(...letters.map(({ notBefore }) => notBefore)) - now };
  }

  taken({ status }: Letter): void {
    setNewest(this.#taken, status.version, status, rememberedAtMost);
    this.drop(status);
  }

  /** Unless a newer one has come meanwhile. */
  drop(status: CommitStatus): void {
    if (this.#waiting.get(status.version)?.status === status) this.#waiting.delete(status.version);
  }
}
