import { murmur3_32 } from '../shard/murmur3.ts';
import type { TwinGroup, Twins } from './plan.ts';

const groupsListed = 5;
const namesListed = 10;

/** Finds customers with the same set of slots by a hash of it: no comparison of each with each. */
export class TwinFinder {
  readonly #groups = new Map<number, { readonly customers: string[]; size: number }>();

  add(customer: string, slots: readonly number[]): void {
    if (slots.length === 0) return;
    const key = hashOf(slots);
    const group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, { customers: [customer], size: 1 });
    else {
      group.size += 1;
      if (group.customers.length < namesListed) group.customers.push(customer);
    }
  }

  /** `slotsOf`: of a customer, as they were given. */
  result(slotsOf: (customer: string) => readonly number[]): Twins {
    const groups = [...this.#groups.values()].filter(({ size }) => size > 1);
    const worst = groups.toSorted((a, b) => b.size - a.size).slice(0, groupsListed);
    const numbersOf = (customer = ''): number[] => sorted(slotsOf(customer)).map((slot) => slot + 1);
    return {
      customers: groups.reduce((sum, { size }) => sum + size, 0),
      pairs: groups.reduce((sum, { size }) => sum + (size * (size - 1)) / 2, 0),
      worst: worst.map(({ size, customers }): TwinGroup => ({ hosts: numbersOf(customers[0]), size, customers })),
    };
  }
}

/** 53 bits: of 100,000 customers, two with different shards have the same one with a chance of one in a million. */
function hashOf(slots: readonly number[]): number {
  const bytes = new Uint8Array(Int32Array.from(slots).sort().buffer);
  return murmur3_32(bytes, 0) * 2 ** 21 + (murmur3_32(bytes, 1) >>> 11);
}

function sorted(slots: readonly number[]): number[] {
  return slots.toSorted((a, b) => a - b);
}
