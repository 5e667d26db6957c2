import type { Stamped } from './entry.ts';

/** Bounds of what waits in memory while nothing can be written. */
const entriesAtMost = 10_000;
const bytesAtMost = 64 * 1024 * 1024;

/** Entries that are not on disk yet, oldest first; the oldest are given up when there are too many. */
export interface Backlog {
  entries: Stamped[];
  bytes: number;
  /** How many were given up. */
  lost: number;
}

export function emptyBacklog(): Backlog {
  return { entries: [], bytes: 0, lost: 0 };
}

export function addToBacklog(backlog: Backlog, added: readonly Stamped[]): void {
  for (const stamped of added) {
    backlog.entries.push(stamped);
    backlog.bytes += weigh(stamped);
  }
}

/** Gives up the oldest entries beyond the bounds: they could not be written for long. */
export function trimBacklog(backlog: Backlog): void {
  let drop = 0;
  for (const stamped of backlog.entries) {
    if (backlog.entries.length - drop <= entriesAtMost && backlog.bytes <= bytesAtMost) break;
    backlog.bytes -= weigh(stamped);
    drop += 1;
  }
  if (drop > 0) backlog.entries = backlog.entries.slice(drop);
  backlog.lost += drop;
}

/** Roughly, in bytes; the fields of a release weigh about as much as its resource. */
function weigh({ entry }: Stamped): number {
  return 1024 + (entry.type === 'release' ? 2 * entry.resource.byteLength : 0);
}
