import type { Live, Refusal } from '../rollout/types.ts';
import { contentsKept } from './content.ts';
import type { Hold, LedgerEntry, Stamped, StoredRelease } from './entry.ts';

/** What must be right at every moment, also while nothing can be written. Owned by the ledger, updated in place. */
export interface View {
  live: Live | null;
  /** The newest proven version. */
  proven: string | null;
  head: string | null;
  tip: string | null;
  /** The highest push number. */
  seq: number;
  /** The id that the next entry gets. */
  nextId: number;
  readonly pins: Map<string, Refusal>;
  readonly holds: Map<string, Hold>;
  readonly accepted: Set<string>;
  /** node.ids. */
  readonly muted: Set<string>;
  /** Digests of contents that were live, the newest last. */
  readonly contents: Set<string>;
  /** The live, the proven and the newest releases, oldest first. */
  readonly releases: Map<string, StoredRelease>;
}

/** Newest releases kept in memory beside the live and the proven one: a candidate may yet become live. */
const candidatesKept = 4;

/** A ledger in which nothing has happened. */
export function emptyView(): View {
  return {
    live: null,
    proven: null,
    head: null,
    tip: null,
    seq: 0,
    nextId: 1,
    pins: new Map(),
    holds: new Map(),
    accepted: new Set(),
    muted: new Set(),
    contents: new Set(),
    releases: new Map(),
  };
}

/** Takes one entry into the view. */
export function applyEntry(view: View, { at, entry, content }: Pick<Stamped, 'at' | 'entry' | 'content'>): void {
  switch (entry.type) {
    case 'revision':
      if (!entry.isPast) view.head = entry.version;
      return;
    case 'release':
      return keepRelease(view, entry);
    case 'live':
      if (content !== null) keepContent(view.contents, content);
      return setLive(view, entry.live);
    case 'push_started':
    case 'push_settled':
      view.seq = Math.max(view.seq, entry.seq);
      return;
    case 'pinned':
      if (!view.pins.has(entry.version)) view.pins.set(entry.version, entry.refusal);
      return;
    case 'unpinned':
      view.pins.delete(entry.version);
      return;
    case 'held':
      if (!view.holds.has(entry.version)) view.holds.set(entry.version, { reason: entry.reason, at });
      return;
    case 'accepted':
      view.holds.delete(entry.version);
      view.accepted.add(entry.version);
      return;
    case 'muted':
      view.muted.add(entry.node);
      return;
    case 'unmuted':
      view.muted.delete(entry.node);
      return;
    case 'tip':
      view.tip = entry.commit;
      return;
    case 'outcome':
      if (entry.outcome !== 'held') view.holds.delete(entry.version);
      return;
    case 'refused':
      return;
  }
}

/** Whether an entry is the live or the proven release once more: its bytes, up to megabytes, are not written again. */
export function isKept(view: View, entry: LedgerEntry): boolean {
  if (entry.type !== 'release') return false;
  const { version } = entry.release;
  const inUse = version === view.live?.version || version === view.proven;
  return inUse && view.releases.get(version)?.resource === entry.resource;
}

function keepRelease(view: View, entry: Extract<LedgerEntry, { type: 'release' }>): void {
  const { version } = entry.release;
  view.releases.delete(version);
  view.releases.set(version, { release: entry.release, resource: entry.resource });
  trimReleases(view);
}

function setLive(view: View, live: Live | null): void {
  view.live = live;
  if (live?.proven) view.proven = live.version;
  trimReleases(view);
}

function keepContent(contents: Set<string>, digest: string): void {
  contents.delete(digest);
  contents.add(digest);
  const [oldest] = contents;
  if (contents.size > contentsKept && oldest !== undefined) contents.delete(oldest);
}

function trimReleases(view: View): void {
  const others = [...view.releases.keys()].filter(
    (version) => version !== view.live?.version && version !== view.proven,
  );
  for (const version of others.slice(0, -candidatesKept)) view.releases.delete(version);
}

/** Every version that the view names, the newest last as far as it knows. */
export function knownVersions(view: View): Set<string> {
  const named = [...view.pins.keys(), ...view.accepted, ...view.holds.keys(), ...view.releases.keys()];
  return new Set(view.head === null ? named : [...named, view.head]);
}

/**
 * What a file holds, under what has happened since in memory alone.
 * `shift`: what is to be added to the ids that were given in memory, so that they come after the file's.
 */
export function mergeView(file: View, memory: View): { view: View; shift: number } {
  const shift = file.nextId - 1;
  const view: View = {
    live: memory.live ?? file.live,
    proven: memory.proven ?? file.proven,
    head: memory.head ?? file.head,
    tip: memory.tip ?? file.tip,
    seq: Math.max(memory.seq, file.seq),
    nextId: memory.nextId + shift,
    pins: new Map([...file.pins, ...memory.pins]),
    holds: new Map([...file.holds, ...memory.holds]),
    accepted: new Set([...file.accepted, ...memory.accepted]),
    muted: new Set([...file.muted, ...memory.muted]),
    contents: new Set([...file.contents, ...memory.contents]),
    releases: new Map([...file.releases, ...memory.releases]),
  };
  return { view, shift };
}
