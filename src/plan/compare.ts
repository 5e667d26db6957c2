import { dealtTo, isSameDeal, slotsIn } from '../shard/shard-of.ts';
import type { Layout } from './layout.ts';
import type { Move, MoveKind } from './plan.ts';

/** A customer under both configs. */
export interface ComparedCustomer {
  readonly customer: string;
  /** Slots from 0, best first. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** How many hosts are in both. */
  readonly kept: number;
  /** Null: it keeps its hosts, and gets no others. */
  readonly kind: MoveKind | null;
}

/** Compares customers one after another. */
export function createComparison(layout: Layout): (customer: string) => ComparedCustomer {
  const { before: old, after: now, isSame } = layout;
  const countKept = createKept(layout);
  return (customer) => {
    const before = slotsIn(old.view, customer);
    if (isSame && isSameDeal(dealtTo(old.view, customer), dealtTo(now.view, customer)))
      return { customer, before, after: before, kept: before.length, kind: null };
    const after = slotsIn(now.view, customer);
    const kept = countKept(before, after);
    return { customer, before, after, kept, kind: kindOf({ customer, before, after, kept }, layout) };
  };
}

/** Marks the hosts of one shard with a number, and counts those of the other that have it. */
function createKept({
  before: old,
  after: now,
}: Layout): (before: readonly number[], after: readonly number[]) => number {
  const marks = new Map<number, number>();
  let mark = 0;
  return (before, after) => {
    mark += 1;
    for (const slot of before) marks.set(old.members[slot] ?? -1, mark);
    return after.filter((slot) => marks.get(now.members[slot] ?? -1) === mark).length;
  };
}

function kindOf({ customer, before, after, kept }: Omit<ComparedCustomer, 'kind'>, layout: Layout): MoveKind | null {
  const [wasAll, isAll] = [kept === before.length, kept === after.length];
  if (wasAll && isAll) return null;
  const { before: old, after: now } = layout;
  if (dealtTo(old.view, customer).customer !== dealtTo(now.view, customer).customer) return 're-dealt';
  if (wasAll) return 'grown';
  return isAll ? 'shrunk' : 'moved';
}

/** For a reader: hosts are counted from 1. */
export function toMove({ customer, before, after, kept, kind }: ComparedCustomer & { readonly kind: MoveKind }): Move {
  const toNumbers = (slots: readonly number[]): number[] => slots.map((slot) => slot + 1);
  return { customer, kind, before: toNumbers(before), after: toNumbers(after), kept };
}
