import { choose } from './choose.ts';

/** Finds whose shards share too much with a shard. */
export interface Sharing {
  /** The members added so far whose shards share too much with these slots. */
  conflicts(slots: readonly number[]): readonly number[];
  add(member: number, slots: readonly number[]): void;
  /** What looking for the conflicts of so many slots may cost: members looked at. */
  cost(size: number): number;
}

/** Too much is all: the very same slots. */
export function shareAll(): Sharing {
  return bySets((slots) => [slots]);
}

interface Expected {
  /** How many may be added, numbered from 0. */
  readonly members: number;
  readonly hosts: number;
  /** The most slots of one. */
  readonly size: number;
}

/** Looking up a set of slots costs as much as looking at so many members. */
const costOfSet = 50;

/** Too much is more than `most` slots. */
export function shareMoreThan(most: number, { members, hosts, size }: Expected): Sharing {
  const perHost = members / hosts;
  const lists = size * size * perHost;
  // which is quicker: the sets of `most + 1` slots that a shard holds, or all members that have one of its slots
  return choose(size, most + 1) * costOfSet < lists
    ? bySets((slots) => setsOf(slots, most + 1))
    : bySlots(most, members, perHost);
}

/** Shards share too much that have one of these sets in common. */
function bySets(toSets: (slots: readonly number[]) => readonly (readonly number[])[]): Sharing {
  const members = new Map<string, number[]>();
  const keysOf = (slots: readonly number[]) => toSets(slots.toSorted((a, b) => a - b)).map((set) => set.join());
  return {
    conflicts: (slots) => {
      const found = keysOf(slots).flatMap((key) => members.get(key) ?? []);
      return found.length < 2 ? found : [...new Set(found)];
    },
    add: (member, slots) => {
      for (const key of keysOf(slots)) {
        const same = members.get(key);
        if (same === undefined) members.set(key, [member]);
        else same.push(member);
      }
    },
    cost: (size) => costOfSet * toSets(Array.from({ length: size }, (_, slot) => slot)).length,
  };
}

/** All sets of `size` of the slots. */
function setsOf(slots: readonly number[], size: number): number[][] {
  if (size === 0) return [[]];
  return slots.flatMap((slot, i) => setsOf(slots.slice(i + 1), size - 1).map((rest) => [slot, ...rest]));
}

/** Counts, for all members that have one of the slots, how many they have. */
function bySlots(most: number, members: number, perHost: number): Sharing {
  const having: number[][] = [];
  const shared = new Uint16Array(members);
  return {
    conflicts: (slots) => {
      const found: number[] = [];
      if (slots.length <= most) return found;
      const lists = slots.map((slot) => having[slot] ?? []);
      for (const list of lists)
        for (const member of list) {
          const count = (shared[member] ?? 0) + 1;
          shared[member] = count;
          if (count === most + 1) found.push(member);
        }
      for (const list of lists) for (const member of list) shared[member] = 0;
      return found;
    },
    add: (member, slots) => {
      for (const slot of slots) (having[slot] ??= []).push(member);
    },
    cost: (size) => size * size * perHost,
  };
}
