import type { Sums } from '../load/sums.ts';
import { commitOf } from '../rollout/candidate.ts';
import type { FleetLoad, WatchedRollout } from './watched.ts';

const windowMs = 5 * 60_000;
/** Later than this after a rollout's start, what is measured is in part its own. */
const lateMs = 2_000;
/** How long one rollout's baseline serves those that follow close upon it. */
const keptMs = 60 * 60_000;

interface Baseline {
  readonly rollout: string;
  readonly takenAt: number;
  readonly sums: Sums | null;
}

/** The fleet's sums before a rollout began, taken at its start: what a wave is compared with when nobody is left outside it. */
export class Baselines {
  readonly #load: FleetLoad;
  #last: Baseline | null = null;
  /** When the last rollout ended; null: it is on. */
  #endedAt: number | null = null;

  constructor(load: FleetLoad) {
    this.#load = load;
  }

  /** Call it when a rollout or a wave of it begins. Null: nobody sent load reports then, or the rollout was not seen to begin. */
  of(rollout: WatchedRollout, now: number): Sums | null {
    if (this.#last?.rollout !== idOf(rollout)) this.#last = this.#take(rollout, now);
    this.#endedAt = null;
    return this.#last.sums;
  }

  end(now: number): void {
    this.#endedAt = now;
  }

  #take(watched: WatchedRollout, now: number): Baseline {
    const rollout = idOf(watched);
    if (watched.baseline !== null) return { rollout, takenAt: watched.startedAt, sums: watched.baseline };
    const { isReporting } = this.#load;
    const last = this.#last;
    // What was measured last is of a release that was tried, and perhaps rolled back: it is nothing to compare with.
    const isClose = now - (this.#endedAt ?? now) < windowMs;
    if (isReporting && last?.sums && isClose && now - last.takenAt < keptMs) return { ...last, rollout };
    const isSeen = now - watched.startedAt <= lateMs;
    const sums = isReporting && isSeen ? this.#load.sum(() => true, watched.startedAt - windowMs) : null;
    return { rollout, takenAt: now, sums };
  }
}

/** The same for all waves of a rollout, though customers' waves have versions of their own. */
function idOf({ version, startedAt }: WatchedRollout): string {
  return `${commitOf(version)} ${startedAt}`;
}
