import { slotsIn } from '../shard/shard-of.ts';
import type { ComparedCustomer } from './compare.ts';
import type { Layout } from './layout.ts';
import type { Quarantined } from './plan.ts';

/** How many customers that go into quarantine are told of. */
const most = 20;

type Sides<T> = Record<'before' | 'after', T>;

interface Tally {
  readonly customer: string;
  /** Its slots. */
  readonly slots: Sides<ReadonlySet<number>>;
  readonly named: Sides<number>;
  readonly unnamed: Sides<number>;
}

/** Counts who shares a host with the customers that go into quarantine: before, and after. */
export class FreedCounter {
  readonly #tallies: readonly Tally[];

  constructor({ before, after }: Layout) {
    const known = before.view.config.quarantined;
    const entering = [...(after.view.config.quarantined ?? [])].filter((customer) => !known?.has(customer));
    this.#tallies = entering.slice(0, most).map((customer) => ({
      customer,
      slots: { before: new Set(slotsIn(before.view, customer)), after: new Set(slotsIn(after.view, customer)) },
      named: { before: 0, after: 0 },
      unnamed: { before: 0, after: 0 },
    }));
  }

  add(compared: ComparedCustomer, isNamed: boolean): void {
    for (const { customer, slots, named, unnamed } of this.#tallies) {
      if (compared.customer === customer) continue;
      const counts = isNamed ? named : unnamed;
      for (const side of ['before', 'after'] as const)
        if (compared[side].some((slot) => slots[side].has(slot))) counts[side] += 1;
    }
  }

  /** `sampled`: how many of the unnamed were looked at. */
  result(sampled: number): Quarantined[] {
    const share = (count: number): number => count / Math.max(1, sampled);
    return this.#tallies.map(({ customer, named, unnamed }) => ({
      customer,
      named: { ...named },
      unnamed: { before: share(unnamed.before), after: share(unnamed.after) },
    }));
  }
}
