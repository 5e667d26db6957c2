/** Finds the most hosts that any two customers have in common, by the customers of each host. */
export class OverlapCounter {
  /** The customers of each slot, numbered as they were added. */
  readonly #having: number[][] = [];
  readonly #shared: Uint16Array;
  #added = 0;
  #most = 0;
  /** How many more customers may be looked at; each that shares a slot counts, once for each slot. */
  #budget: number;

  constructor(customers: number, budget: number) {
    this.#shared = new Uint16Array(customers);
    this.#budget = budget;
  }

  /** Returns how many customers it looked at. */
  add(slots: readonly number[]): number {
    if (this.#budget <= 0) return 0;
    const lists = slots.map((slot) => (this.#having[slot] ??= []));
    const shared = this.#shared;
    let [most, cost] = [this.#most, 0];
    for (const list of lists) {
      cost += list.length;
      for (const member of list) {
        const count = (shared[member] ?? 0) + 1;
        shared[member] = count;
        if (count > most) most = count;
      }
    }
    for (const list of lists) for (const member of list) shared[member] = 0;
    for (const list of lists) list.push(this.#added);
    this.#added += 1;
    this.#most = most;
    this.#budget -= cost;
    return cost;
  }

  /** Null: it would take too long. */
  result(): number | null {
    return this.#budget > 0 ? this.#most : null;
  }
}
