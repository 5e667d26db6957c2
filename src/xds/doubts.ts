/** Nodes that are remembered; over it nobody is trusted. */
const KEPT = 20_000;

/**
 * Which nodes may hold another layer than they say: a NACK leaves an Envoy's layer poisoned, and a reconnect does not tell. A node
 * is in doubt from a push on until it accepts one, over all of its streams.
 */
export class Doubts {
  readonly #nodes = new Set<string>();
  #trusts: boolean;

  /** `trusts`: no node may be poisoned since before this process. */
  constructor(trusts: boolean) {
    this.#trusts = trusts;
  }

  isTrusted(nodeId: string): boolean {
    return this.#trusts && !this.#nodes.has(nodeId);
  }

  pushed(nodeId: string): void {
    this.#nodes.add(nodeId);
    if (this.#nodes.size > KEPT) this.#trusts = false;
  }

  accepted(nodeId: string): void {
    this.#nodes.delete(nodeId);
  }
}
