/** Nodes without a stream that are remembered; over it nobody is trusted. */
const KEPT = 20_000;

/** One node with a stream. All of its streams share it, and write to it at each push and each answer. */
export interface Doubt {
  readonly nodeId: string;
  /** It was sent something, and has accepted nothing since. */
  inDoubt: boolean;
  streams: number;
}

/**
 * Which nodes may hold another layer than they say: a NACK leaves an Envoy's layer poisoned, and a reconnect does not tell. A node
 * is in doubt from a push on until it accepts one, over all of its streams.
 */
export class Doubts {
  readonly #nodes = new Map<string, Doubt>();
  /** Those that left in doubt. */
  readonly #left = new Set<string>();
  #trusts: boolean;

  /** `trusts`: no node may be poisoned since before this process. */
  constructor(trusts: boolean) {
    this.#trusts = trusts;
  }

  isTrusted(nodeId: string): boolean {
    return this.#trusts && !this.#left.has(nodeId) && this.#nodes.get(nodeId)?.inDoubt !== true;
  }

  /** A stream of this node has come; `close` when it goes. */
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
