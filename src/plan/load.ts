import type { Side } from './layout.ts';
import type { HostLoad } from './plan.ts';

/** Counts the customers of each host. */
export class LoadCounter {
  readonly #counts: Float64Array;
  #customers = 0;

  constructor(hosts: number) {
    this.#counts = new Float64Array(hosts);
  }

  add(slots: readonly number[]): void {
    this.#customers += 1;
    for (const slot of slots) this.#counts[slot] = (this.#counts[slot] ?? 0) + 1;
  }

  result(of: HostLoad['of'], { view, open }: Side): HostLoad {
    const counts = this.#counts;
    let [total, max, hottest] = [0, 0, -1];
    for (const slot of open) {
      const count = counts[slot] ?? 0;
      total += count;
      if (count > max) [max, hottest] = [count, slot];
    }
    const mean = open.size === 0 ? 0 : total / open.size;
    const host = view.config.hosts?.[hottest] ?? null;
    return {
      of,
      customers: this.#customers,
      mean,
      max,
      hottest: hottest < 0 ? null : { number: hottest + 1, host },
      ratio: mean === 0 ? 0 : max / mean,
      hosts: [...counts],
    };
  }
}
