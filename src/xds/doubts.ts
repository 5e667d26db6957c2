/** How many disconnected nodes are remembered; with more, no node is trusted any longer. */
const KEPT = 20_000;

/** A connected node. Its streams share this, and update it at each push and answer. */
export interface Doubt {
  readonly nodeId: string;
  /** It was sent a push, and has accepted none since. */
  inDoubt: boolean;
  streams: number;
}

/**
 * Which nodes may have another layer than they claim: a NACK leaves an Envoy's layer poisoned, and after a reconnect it doesn't say so.
 * A node is in doubt from a push until it accepts one, across all its streams.
 */
export class Doubts {
  readonly #nodes = new Map<string, Doubt>();
  /** Nodes that disconnected in doubt. */
  readonly #left = new Set<string>();
  #trusts: boolean;

  /** `trusts`: no node can have been poisoned by an earlier process. */
  constructor(trusts: boolean) {
    this.#trusts = trusts;
  }

  isTrusted(nodeId: string): boolean {
    return this.#trusts && !this.#left.has(nodeId) && this.#nodes.get(nodeId)?.inDoubt !== true;
  }

  /** Call it for each new stream of a node, and `close` when that ends. */
  open(nodeId: string): Doubt {
    const doubt = this.#nodes.get(nodeId) ?? { nodeId, inDoubt: this.#left.delete(nodeId), streams: 0 };
    doubt.streams += 1;
    this.#nodes.set(nodeId, doubt);
    return doubt;
  }

  close(doubt: Doubt): void {
    doubt.streams -= 1;
    if (doubt.streams > 0) return;
    this.#nodes.delete(doubt.nodeId);
    if (doubt.inDoubt && this.#trusts) this.#left.add(doubt.nodeId);
    if (this.#left.size <= KEPT) return;
    this.#trusts = false;
    this.#left.clear();
  }
}
