import type { GoneNode } from '../http/api.ts';
import type { Session } from '../xds/session.ts';
import type { StreamAction } from '../xds/stream/types.ts';
import { short } from '../release/short.ts';

const dayMs = 24 * 60 * 60 * 1000;
const maxGone = 1_000;
/** Logged per second with their names; the others are only counted. */
const maxNamed = 5;

interface Log {
  readonly info: (fields: object, message: string) => void;
}

type Known = Pick<Session, 'node' | 'peer' | 'last'>;
interface Gone {
  readonly at: number;
  readonly version: string | null;
  readonly address: string;
}

/** Logs nodes that join and leave, and remembers those that were connected within a day. */
export class Presence {
  readonly #log: Log;
  readonly #isConnected: (id: string) => boolean;
  readonly #now: () => number;
  /** By node.id; the one that left first comes first. */
  readonly #gone = new Map<string, Gone>();
  /** In the current second: how many were logged, and how many only counted. */
  #named = 0;
  readonly #unnamed = { joined: 0, left: 0 };
  #timer: NodeJS.Timeout | null = null;

  /** `isConnected`: the fleet has a stream of that node.id. `now`: milliseconds since the epoch. */
  constructor(log: Log, isConnected: (id: string) => boolean, now: () => number = Date.now) {
    this.#log = log;
    this.#isConnected = isConnected;
    this.#now = now;
  }

  /** Call it after the rollout has handled the action. */
  onStream(session: Known, action: StreamAction): void {
    if (action.type === 'joined') this.#onJoined(session, action.claims);
    if (action.type === 'left') this.#onLeft(session);
  }

  /** The one that left last comes first. */
  gone(): GoneNode[] {
    this.#forget();
    return [...this.#gone]
      .map(([id, { at, version, address }]) => ({ id, lastSeen: new Date(at).toISOString(), version, address }))
      .toReversed();
  }

  /** Logs what it has counted. */
  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#flush();
  }

  #onJoined(session: Known, claims: string | null): void {
    this.#gone.delete(session.node?.id ?? '');
    const log = this.#log;
    const { peer, node } = session;
    const version = claims === null ? '' : `, with ${short(claims)}`;
    this.#limit('joined', () =>
      log.info({ event: 'joined', node: node?.id, peer }, `Envoy ${node?.id ?? '?'} (${peer}) joined${version}`),
    );
  }

  #onLeft(session: Known): void {
    const id = session.node?.id ?? '';
    if (!this.#isConnected(id)) {
      this.#gone.delete(id); // to the end
      const version = session.last.acked?.version ?? null;
      this.#gone.set(id, { at: this.#now(), version, address: session.peer });
      this.#forget();
    }
    const log = this.#log;
    const { peer } = session;
    this.#limit('left', () => log.info({ event: 'left', node: id, peer }, `Envoy ${id} (${peer}) left`));
  }

  #forget(): void {
    const since = this.#now() - dayMs;
    for (const [id, { at }] of this.#gone) {
      if (at >= since && this.#gone.size <= maxGone) return;
      this.#gone.delete(id);
    }
  }

  /** Calls `log` for the first few in a second, and counts the rest. */
  #limit(what: 'joined' | 'left', log: () => void): void {
    this.#timer ??= setTimeout(() => this.#flush(), 1_000).unref();
    if (this.#named >= maxNamed) {
      this.#unnamed[what] += 1;
      return;
    }
    this.#named += 1;
    log();
  }

  #flush(): void {
    const { joined, left } = this.#unnamed;
    this.#timer = null;
    this.#named = 0;
    this.#unnamed.joined = 0;
    this.#unnamed.left = 0;
    const parts = [joined > 0 && `${joined} more joined`, left > 0 && `${left} more left`].filter(Boolean);
    if (parts.length === 0) return;
    const log = this.#log;
    log.info({ event: 'came_and_went', joined, left }, `Envoys: ${parts.join(', ')}`);
  }
}
