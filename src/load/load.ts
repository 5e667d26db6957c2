import type { Sums } from './sums.ts';

/** What one node has reported of the last minute. */
export interface RecentLoad extends Sums {
  /** How much of that minute the node has been reporting. */
  readonly seconds: number;
}

export interface LoadOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** How many nodes are remembered, those included that have left; the one that left first makes room. Default: 10,000. */
  readonly maxNodes?: number;
}

/** The longest that sums are kept. */
export const KEPT_MS = 600_000;
/** The shortest interval of reports: no better resolution is needed. */
const BUCKET_MS = 2_000;
const BUCKETS = KEPT_MS / BUCKET_MS;
const RECENT_MS = 60_000;

/** The traffic of each node in the last ten minutes, by its own load reports. A report counts for the moment at which it arrived. */
export class Load {
  readonly #now: () => number;
  readonly #maxNodes: number;
  readonly #nodes = new Map<string, NodeLoad>();
  /** Nodes without a stream; the one that left first comes first. */
  readonly #left = new Set<string>();

  constructor({ now, maxNodes = 10_000 }: LoadOptions) {
    this.#now = now;
    this.#maxNodes = maxNodes;
  }

  /** A report stream of this node began. */
  open(node: string): void {
    this.#forget();
    const load = this.#nodes.get(node) ?? this.#create(node);
    if (load === null) return;
    if (load.streams === 0) load.openedAt = this.#now();
    load.streams += 1;
    this.#left.delete(node);
  }

  /** A report stream of this node ended. */
  close(node: string): void {
    this.#forget();
    const load = this.#nodes.get(node);
    if (load === undefined || load.streams === 0) return;
    load.streams -= 1;
    if (load.streams > 0) return;
    load.closedAt = this.#now();
    this.#left.add(node);
  }

  /** The sums of one report. */
  add(node: string, sums: Sums): void {
    this.#nodes.get(node)?.add(toBucket(this.#now()), sums);
  }

  /** The sum over the nodes that `includes` names, of what was reported since then (ten minutes at most), to two seconds. */
  sum(includes: (node: string) => boolean, since: number): Sums {
    const total = { requests: 0, errors: 0 };
    const last = toBucket(this.#now());
    const first = firstSince(since);
    for (const [node, load] of this.#nodes) if (includes(node)) load.sumInto(total, first, last);
    return total;
  }

  /** The last minute; null: the node has no report stream. */
  of(node: string): RecentLoad | null {
    const load = this.#nodes.get(node);
    if (load === undefined || load.streams === 0) return null;
    const now = this.#now();
    const total = { requests: 0, errors: 0 };
    load.sumInto(total, firstSince(now - RECENT_MS), toBucket(now));
    return { ...total, seconds: Math.min(RECENT_MS, Math.max(BUCKET_MS, now - load.openedAt)) / 1_000 };
  }

  /** Some node has a report stream. */
  get isReporting(): boolean {
    return this.#nodes.size > this.#left.size;
  }

  /** The node has a report stream. */
  hasNode(node: string): boolean {
    return (this.#nodes.get(node)?.streams ?? 0) > 0;
  }

  #create(node: string): NodeLoad | null {
    if (this.#nodes.size >= this.#maxNodes) this.#drop(this.#left.values().next().value);
    if (this.#nodes.size >= this.#maxNodes) return null;
    const load = new NodeLoad();
    this.#nodes.set(node, load);
    return load;
  }

  /** Nodes that left so long ago that nothing of them is kept. */
  #forget(): void {
    const before = this.#now() - KEPT_MS;
    for (const node of this.#left) {
      if ((this.#nodes.get(node)?.closedAt ?? 0) > before) return;
      this.#drop(node);
    }
  }

  #drop(node: string | undefined): void {
    if (node === undefined) return;
    this.#left.delete(node);
    this.#nodes.delete(node);
  }
}

/** A ring of buckets of one node; made with its first request, since many nodes are idle. */
class NodeLoad {
  streams = 0;
  openedAt = 0;
  closedAt = 0;
  /** Requests and errors, in turn. */
  #ring: Uint32Array | null = null;
  /** The newest bucket of the ring. */
  #last = 0;

  add(bucket: number, { requests, errors }: Sums): void {
    if (requests === 0 && errors === 0) return;
    const ring = (this.#ring ??= new Uint32Array(2 * BUCKETS));
    const at = this.#turnTo(ring, bucket);
    ring[at] = Math.min(MOST, (ring[at] ?? 0) + requests);
    ring[at + 1] = Math.min(MOST, (ring[at + 1] ?? 0) + errors);
  }

  /** Adds the buckets `first` to `last`. */
  sumInto(total: { requests: number; errors: number }, first: number, last: number): void {
    if (this.#ring === null) return;
    const newest = Math.min(last, this.#last);
    for (let bucket = Math.max(first, last - BUCKETS + 1, this.#last - BUCKETS + 1); bucket <= newest; bucket += 1) {
      const at = 2 * (bucket % BUCKETS);
      total.requests += this.#ring[at] ?? 0;
      total.errors += this.#ring[at + 1] ?? 0;
    }
  }

  /** Empties the buckets since the last report. A clock that was set back counts for the newest bucket. */
  #turnTo(ring: Uint32Array, bucket: number): number {
    const gap = Math.min(bucket - this.#last, BUCKETS);
    for (let stale = 1; stale <= gap; stale += 1) {
      const at = 2 * ((this.#last + stale) % BUCKETS);
      ring[at] = 0;
      ring[at + 1] = 0;
    }
    this.#last = Math.max(this.#last, bucket);
    return 2 * (this.#last % BUCKETS);
  }
}

/** Of one bucket: what a Uint32 holds. */
const MOST = 2 ** 32 - 1;

function toBucket(at: number): number {
  return Math.floor(at / BUCKET_MS);
}

/** The first bucket that began at this time or later. */
function firstSince(since: number): number {
  return Math.ceil(since / BUCKET_MS);
}
