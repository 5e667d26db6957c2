/** Who subscribes to the configured resource: the fleet's streams, by node.id and client. */
export class Subscribers {
  /** Streams by node.id, then by client (Session.client). */
  readonly #nodes = new Map<string, Map<string | null, number>>();

  add(nodeId: string, client: string | null): void {
    const clients = this.#nodes.get(nodeId) ?? new Map<string | null, number>();
    clients.set(client, (clients.get(client) ?? 0) + 1);
    this.#nodes.set(nodeId, clients);
  }

  remove(nodeId: string, client: string | null): void {
    const clients = this.#nodes.get(nodeId);
    if (clients === undefined) return;
    const streams = (clients.get(client) ?? 0) - 1;
    if (streams > 0) clients.set(client, streams);
    else clients.delete(client);
    if (clients.size === 0) this.#nodes.delete(nodeId);
  }

  has(nodeId: string): boolean {
    return this.#nodes.has(nodeId);
  }

  /** Whether one of the node's streams is this client's. */
  isOf(nodeId: string, client: string | null): boolean {
    return this.#nodes.get(nodeId)?.has(client) ?? false;
  }

  /** More than one stream has this node.id. */
  isDuplicate(nodeId: string): boolean {
    const clients = this.#nodes.get(nodeId);
    if (clients === undefined) return false;
    const [streams = 0] = clients.values();
    return clients.size > 1 || streams > 1;
  }
}
