import type { ShardConfig } from '../config/config.ts';
import { dealtTo, isSameLayout, unnamed, viewOf, type ShardView } from '../shard/shard-of.ts';
import type { HostChanges } from './plan.ts';

/** One of the two configs. */
export interface Side {
  readonly view: ShardView;
  /** The size of an unnamed customer's shard. */
  readonly size: number;
  /** The slots (from 0) that unnamed customers are dealt. */
  readonly open: ReadonlySet<number>;
  /** Which host a slot is: the same number in both sides for the same host. */
  readonly members: Int32Array;
}

/** Both configs, made comparable. */
export interface Layout {
  readonly before: Side;
  readonly after: Side;
  readonly isComparable: boolean;
  /** As isSameLayout says. */
  readonly isSame: boolean;
}

export function layOut(before: ShardConfig, after: ShardConfig): Layout {
  const isComparable = (before.hosts === null) === (after.hosts === null);
  const numbers = new Map<string, number>();
  const memberOf = (host: string): number => {
    const known = numbers.get(host) ?? numbers.size;
    numbers.set(host, known);
    return known;
  };
  const toSide = (config: ShardConfig, offset: number): Side => {
    const view = viewOf(config);
    const { shardSize, drained } = dealtTo(view, unnamed);
    const slots = Array.from({ length: config.totalHosts }, (_, slot) => slot);
    const members = slots.map((slot) => offset + (config.hosts ? memberOf(config.hosts[slot] ?? '') : slot));
    const open = new Set(slots.filter((slot) => !drained.has(slot)));
    return { view, size: shardSize, open, members: Int32Array.from(members) };
  };
  const [a, b] = [toSide(before, 0), toSide(after, isComparable ? 0 : unlike)];
  return { before: a, after: b, isComparable, isSame: isSameLayout(a.view, b.view) };
}

/** More than there are slots: then no host is the same. */
const unlike = 2 ** 21;

/** The slots that hold hosts, by host. */
function placesOf({ view, members }: Side): Map<number, number> {
  const { hosts } = view.config;
  const places = new Map<number, number>();
  members.forEach((member, slot) => {
    if (hosts === null || hosts[slot] !== '') places.set(member, slot);
  });
  return places;
}

/** What becomes of the list of hosts. */
export function hostChanges({ before, after, isComparable }: Layout): HostChanges {
  const [old, now] = [placesOf(before), placesOf(after)];
  const kept = [...now].filter(([member]) => old.has(member));
  return {
    total: { before: before.members.length, after: after.members.length },
    open: { before: before.open.size, after: after.open.size },
    drained: { before: before.view.drained.size, after: after.view.drained.size },
    quarantine: {
      before: before.view.config.quarantineHosts ?? 0,
      after: after.view.config.quarantineHosts ?? 0,
    },
    added: now.size - kept.length,
    removed: old.size - kept.length,
    displaced: kept.filter(([member, slot]) => old.get(member) !== slot).length,
    isComparable,
  };
}
