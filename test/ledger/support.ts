import { candidateOf } from '../helpers/ids.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { Version } from '../../src/ids.ts';
import { Journal } from '../../src/ledger/journal.ts';
import type { JournalHealth } from '../../src/ledger/journal-options.ts';
import { SqliteStore } from '../../src/ledger/sqlite/sqlite-store.ts';
import type { StoreOptions } from '../../src/ledger/ledger.ts';
import type { Batch, Loaded, Store, StoredRelease, Story } from '../../src/ledger/store.ts';
import { contentToJson } from '../../src/release/content.ts';
import { diagnose } from '../../src/rollout/diagnose.ts';
import type { Counts, Live, Refusal } from '../../src/rollout/types.ts';
import type { Fact, FactOf } from '../../src/state/facts.ts';
import { servedVersions } from '../../src/state/memory.ts';
import type { Memory } from '../../src/state/memory.ts';
import { makeConfig } from '../helpers/config.ts';
import { versionOf } from '../helpers/ids.ts';

/** 2026-01-01T00:00:00Z */
export const epoch = Date.UTC(2026, 0, 1);

export const refusal: Refusal = {
  node: 'envoy-1',
  code: 13,
  message: 'Invalid runtime entry value for a.b',
  place: { key: 'a.b', file: 'shard-config.yaml', line: 7, column: 3 },
};

/** A full SHA whose first digits are `n`. */
export function sha(n: number): Version {
  return versionOf(n.toString(16).padStart(8, '0').padEnd(40, '0'));
}

export function numberOf(version: string): number {
  return parseInt(version.slice(0, 8), 16);
}

export function seen(n: number): FactOf<'seen'> {
  const revision = {
    version: sha(n),
    subject: `Change ${n}`,
    author: 'Ada <ada@example.org>',
    committedAt: '2026-01-01T00:00:00Z',
  };
  return { type: 'seen', revision, isPast: false };
}

export function manySeen(count: number, from = 0): Fact[] {
  return Array.from({ length: count }, (_, of) => seen(from + of));
}

/** `customers`: id to shard size. */
export function stored(n: number, customers: Record<string, number> = {}): StoredRelease {
  const config = makeConfig({ customers: new Map(Object.entries(customers)) });
  const release = { version: sha(n), subject: `Change ${n}`, config };
  return { release, resource: resource(n), content: contentToJson(release) };
}

export function resource(n: number): Buffer {
  return Buffer.from(`bytes of ${n}`);
}

const counts: Counts = { connected: 2, acked: 0, refusing: 0, unanswered: 0, pending: 2 };
const acked: Counts = { ...counts, acked: 2, pending: 0 };

export function offered(n: number): FactOf<'offered'> {
  return { type: 'offered', version: sha(n), push: n, counts, wave: null };
}

export function live(n: number, given: Partial<FactOf<'live'>> = {}): FactOf<'live'> {
  const fact = {
    version: sha(n),
    since: epoch + n,
    proven: true,
    isNew: true,
    isSettled: true,
    push: n,
    counts: acked,
  };
  return { type: 'live', ...fact, ...given };
}

export function settled(n: number, given: Partial<Counts> = {}): FactOf<'settled'> {
  return { type: 'settled', version: sha(n), push: n, ms: 5, counts: { ...acked, ...given } };
}

export function held(n: number, reason = 'shrinks'): FactOf<'held'> {
  return { type: 'held', version: sha(n), reason, diagnostics: [] };
}

/** All that happens when a commit goes live on two nodes: 6 events of its story. */
export function success(n: number): Fact[] {
  return [seen(n), offered(n), live(n), settled(n)];
}

/** All that happens when a commit is refused: 6 events of its story. */
export function failure(n: number): Fact[] {
  return [
    seen(n),
    offered(n),
    { type: 'refused', version: sha(n), refusal },
    { type: 'rolled_back', version: sha(n), cause: { type: 'refused', ...refusal }, counts },
    settled(n, { acked: 1, refusing: 1 }),
  ];
}

export function retried(n: number): Fact[] {
  return [
    { type: 'retried', version: sha(n), by: 'ada' },
    { type: 'unpinned', version: sha(n) },
  ];
}

/** How many events a story of `success` or `failure` has. */
export const storyLength = 6;

const nothing: Memory = {
  revisions: { taken: null, head: null, accepted: [], contents: [] },
  rollout: { live: null, candidate: null, pins: [], muted: [], pushes: 0, members: [], settled: null },
};

/** The state after a fact, much as the machines move it. */
function after(memory: Memory, fact: Fact): Memory {
  const { revisions, rollout } = memory;
  const { head } = revisions;
  const toHead = (outcome: NonNullable<typeof head>['outcome'], diagnostics: readonly object[] = []): Memory =>
    'version' in fact && head?.version === fact.version
      ? { ...memory, revisions: { ...revisions, head: { ...head, outcome, diagnostics: diagnostics as never } } }
      : memory;
  switch (fact.type) {
    case 'seen': {
      const { version, subject } = fact.revision;
      const isHead = head?.version === version;
      return isHead || fact.isPast
        ? memory
        : { rollout, revisions: { ...revisions, head: { version, subject, outcome: null, diagnostics: [] } } };
    }
    case 'invalid':
    case 'held':
      return toHead(fact.type, fact.diagnostics);
    case 'superseded':
      return toHead('superseded');
    case 'closed':
      return toHead(fact.outcome);
    case 'accepted': {
      const moved = toHead(null);
      return { ...moved, revisions: { ...moved.revisions, accepted: [...revisions.accepted, fact.version] } };
    }
    case 'unpinned':
      return { revisions, rollout: { ...rollout, pins: rollout.pins.filter((pin) => pin.version !== fact.version) } };
    case 'offered': {
      const { version, push: pushes } = fact;
      const candidate = candidateOf(version);
      return { ...toHead(null), rollout: { ...rollout, candidate, pushes, members: [fact.counts.connected] } };
    }
    case 'live': {
      const { version, since, proven } = fact;
      const before = rollout.live?.proven ? rollout.live.version : (rollout.live?.fallback ?? null);
      const next: Live = proven ? { version, since, proven } : { version, since, proven, fallback: before };
      return { ...toHead('live'), rollout: { ...rollout, live: next, candidate: null } };
    }
    case 'rolled_back': {
      const { version } = fact;
      const pins = [...rollout.pins, { version, cause: fact.cause }];
      return {
        ...toHead('rolled_back', [diagnose({ type: 'refused', ...refusal })]),
        rollout: { ...rollout, candidate: null, pins },
      };
    }
    case 'nothing_live':
      return { revisions, rollout: { ...rollout, live: null } };
    case 'muted':
      return { revisions, rollout: { ...rollout, muted: [...rollout.muted, fact.node] } };
    case 'unmuted':
      return { revisions, rollout: { ...rollout, muted: rollout.muted.filter((node) => node !== fact.node) } };
    default:
      return memory;
  }
}

/** A daemon's memory over a store: what it is told moves the state, and is written. */
export class Book {
  readonly store: Store;
  readonly journal: Journal;
  readonly notices: string[] = [];
  readonly healths: JournalHealth[] = [];
  memory = nothing;
  /** Those that differ from what `stored` makes, or are lost (null). */
  readonly releases = new Map<string, StoredRelease | null>();
  readonly #clock: () => number;

  constructor(options: StoreOptions, wrap: (store: Store) => Store = (store) => store) {
    this.#clock = options.clock ?? Date.now;
    this.store = wrap(new SqliteStore({ ...options, notice: (text) => this.notices.push(text) }));
    this.journal = new Journal({ store: this.store, now: this.#clock });
    this.journal.begin({
      state: () => ({ memory: this.memory, releases: this.served() }),
      onHealth: (health) => this.healths.push(health),
      onLateLoad: (loaded) => this.join(loaded),
    });
  }

  get pins(): string[] {
    return this.memory.rollout.pins.map(({ version }) => version);
  }

  get live(): string | undefined {
    return this.memory.rollout.live?.version;
  }

  served(): StoredRelease[] {
    return [...servedVersions(this.memory)]
      .map((version) => (this.releases.has(version) ? this.releases.get(version) : stored(numberOf(version))))
      .filter((release) => release != null);
  }

  async load(): Promise<Loaded | null> {
    const loaded = await this.journal.load();
    this.memory = loaded?.memory ?? this.memory;
    return loaded;
  }

  /** What comes late goes under what has happened since. */
  join({ memory }: Loaded): void {
    if (memory === null) return;
    const { revisions, rollout } = this.memory;
    this.memory = {
      revisions: { ...revisions, head: revisions.head ?? memory.revisions.head },
      rollout: {
        ...rollout,
        live: rollout.live ?? memory.rollout.live,
        pins: [...memory.rollout.pins, ...rollout.pins],
        muted: [...memory.rollout.muted, ...rollout.muted],
      },
    };
  }

  /** Moves the state, and returns what is to be written of it. */
  batch(facts: readonly Fact[]): Batch {
    for (const fact of facts) this.memory = after(this.memory, fact);
    const at = this.#clock();
    return { facts: facts.map((fact) => ({ at, fact })), memory: this.memory, releases: this.served() };
  }

  tell(...facts: Fact[]): void {
    this.batch(facts);
    this.journal.add(facts);
  }

  /** Told, and written if that can be. */
  async record(...facts: Fact[]): Promise<void> {
    this.tell(...facts);
    await this.journal.flush();
  }

  async story(n: number): Promise<Story> {
    const story = await this.journal.story(sha(n));
    if (story === null || story === 'ambiguous') throw new Error(`no story of ${n}`);
    return story;
  }

  /** The revisions that a query finds, by number. */
  async found(query: Parameters<Store['history']>[0] = { limit: 1000 }): Promise<number[]> {
    return (await this.journal.history(query)).map(({ version }) => numberOf(version));
  }
}

/** A directory that is gone after the test. */
export function temporary(context: TestContext): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'shardplane-ledger-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A book that was loaded, and is closed after the test. */
export async function open(context: TestContext, options: StoreOptions): Promise<Book> {
  const book = new Book(options);
  context.after(() => book.journal.close());
  await book.load();
  await book.journal.flush();
  return book;
}

/** What a directory holds after its daemon has ended. */
export async function loadAfter(book: Book, options: StoreOptions): Promise<Loaded> {
  await book.journal.close();
  const store = new SqliteStore(options);
  try {
    return await store.load();
  } finally {
    await store.close();
  }
}

/** Another life of the same directory. */
export async function reopen(context: TestContext, book: Book, options: StoreOptions): Promise<Book> {
  await book.journal.close();
  return open(context, options);
}

/** A clock that stands still until it is told otherwise. */
export function manualClock(): { now: number; read: () => number } {
  const clock = { now: epoch, read: () => clock.now };
  return clock;
}
