import type { GoneNode } from '../http/api.ts';
import type { Session } from '../xds/session.ts';
import type { StreamAction } from '../xds/stream/types.ts';
import { short } from '../release/short.ts';

const dayMs = 24 * 60 * 60 * 1000;
/** How many that are gone are remembered. */
const maxGone = 1_000;
/** So many a second are named; of more, only how many they were. */
const namedASecond = 5;

interface Says {
  readonly info: (fields: object, words: string) => void;
}

type Known = Pick<Session, 'node' | 'peer' | 'last'>;
interface Gone {
  readonly at: number;
  readonly version: string | null;
  readonly address: string;
}

/** Who comes and goes: says so, and remembers who was here within a day. */
export class Presence {
  readonly #log: Says;
  readonly #isConnected: (id: string) => boolean;
  readonly #now: () => number;
  /** By node.id; who went first comes first. */
  readonly #gone = new Map<string, Gone>();
  /** What happened since the last second began: how many were named, how many were not. */
  #named = 0;
  readonly #unnamed = { joined: 0, left: 0 };
  #timer: NodeJS.Timeout | null = null;

  /** `isConnected`: the fleet has a stream of that node.id. `now`: milliseconds since the epoch. */
  constructor(log: Says, isConnected: (id: string) => boolean, now: () => number = Date.now) {
    this.#log = log;
    this.#isConnected = isConnected;
    this.#now = now;
  }

  /** After the fleet has heard of it. */
  onStream(session: Known, action: StreamAction): void {
    if (action.type === 'joined') this.#onJoined(session, action.claims);
    if (action.type === 'left') this.#onLeft(session);
  }

  /** The last to go first. */
  gone(): GoneNode[] {
    this.#forget();
    return [...this.#gone]
      .map(([id, { at, version, address }]) => ({ id, lastSeen: new Date(at).toISOString(), version, address }))
      .toReversed();
  }

  /** Says what it has counted. */
  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#flush();
  }

  #onJoined(session: Known, claims: string | null): void {
    this.#gone.delete(session.node?.id ?? '');
    const log = this.#log;
    const { peer, node } = session;
    const version = claims === null ? '' : `, with ${short(claims)}`;
    this.#tell('joined', () =>
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
    this.#tell('left', () => log.info({ event: 'left', node: id, peer }, `Envoy ${id} (${peer}) left`));
  }

  #forget(): void {
    const since = this.#now() - dayMs;
    for (const [id, { at }] of this.#gone) {
      if (at >= since && this.#gone.size <= maxGone) return;
      this.#gone.delete(id);
    }
  }

  /** Runs `say` for the first few of a second, and counts the rest. */
  #tell(what: 'joined' | 'left', say: () => void): void {
    this.#timer ??= setTimeout(() => this.#flush(), 1_000).unref();
    if (this.#named >= namedASecond) {
      this.#unnamed[what] += 1;
      return;
    }
    this.#named += 1;
    say();
  }

  /** A second is over. */
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
