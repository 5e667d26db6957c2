import type { ComparedCustomer } from './compare.ts';
import type { MoveKind, Moves } from './plan.ts';

/** Counts who moves, and how. */
export class MoveCounter {
  readonly #kinds: Record<MoveKind, number> = { grown: 0, shrunk: 0, moved: 0, 're-dealt': 0 };
  #looked = 0;
  #keepNone = 0;
  #largest = 0;
  #union = 0;

  add({ before, after, kept, kind }: ComparedCustomer): void {
    this.#looked += 1;
    const union = before.length + after.length - kept;
    this.#union += union;
    this.#largest = Math.max(this.#largest, union);
    if (kind === null) return;
    this.#kinds[kind] += 1;
    if (kept === 0) this.#keepNone += 1;
  }

  /** `of`: how many there are. */
  result(of: number): Moves {
    const kinds = { ...this.#kinds };
    return {
      of,
      looked: this.#looked,
      moved: Object.values(kinds).reduce((sum, count) => sum + count, 0),
      kinds,
      keepNone: this.#keepNone,
      union: { largest: this.#largest, mean: this.#looked === 0 ? 0 : this.#union / this.#looked },
    };
  }
}

/** The part of the customers that moves, 0 to 1. */
export function shareMoved({ looked, moved }: Moves): number {
  return looked === 0 ? 0 : moved / looked;
}
