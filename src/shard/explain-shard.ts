import { namedCustomers, type ShardConfig } from '../config/config.ts';
import { rankingCost, rankSlots, type ScoredSlot } from './assign.ts';
import { dealtTo, slotsIn, viewOf, type Dealt, type ShardView } from './shard-of.ts';

/** One slot of a customer's shard. */
export interface ExplainedSlot extends ScoredSlot {
  /** 1-based, as `x-shard-assignment` has it. */
  readonly number: number;
  /** `ip:port`, or null in cluster mode. */
  readonly host: string | null;
}

/** How a customer's shard overlaps those of the other configured customers. */
export interface Overlap {
  /** The other customers that the config names. */
  readonly others: number;
  /** How many were compared, in the file's order: all, unless the config is huge (`maxScores`). */
  readonly compared: number;
  /** Of those compared: how many share no host, at least one, and every host of this shard. */
  readonly sharingNone: number;
  readonly sharingSome: number;
  readonly sharingAll: number;
  /** The customers that share every host, in the file's order, 20 at most. */
  readonly namesSharingAll: readonly string[];
}

/** A customer's shard, and why it is that one. */
export interface ShardExplanation {
  readonly customer: string;
  readonly totalHosts: number;
  readonly shardSize: number;
  /** Whether the size is from the customer's own entry, or the default. */
  readonly sizeFrom: 'customer' | 'default';
  /** How often the customer was dealt anew: `customer#deal` is hashed. 0: never, the id alone is. */
  readonly deal: number;
  /** Whether it gets slots of the quarantine alone. */
  readonly inQuarantine: boolean;
  /** Best first. */
  readonly slots: readonly ExplainedSlot[];
  /** The best slot outside the shard: where it would grow to. Null when it has them all. */
  readonly next: ExplainedSlot | null;
  /** Slots that would be in the shard if they were not drained or vacant. */
  readonly drained: readonly ExplainedSlot[];
  readonly overlap: Overlap;
}

const namesListed = 20;

/**
 * The budget for comparing (rankingCost): a third of a second, in which the daemon does nothing else. (100,000 customers on as
 * many hosts would take a minute or more.)
 */
const maxScores = 30_000_000;

/** Explains the shard of any customer, configured or not, under a valid config. */
export function explainShard(config: ShardConfig, customer: string): ShardExplanation {
  const view = viewOf(config);
  const dealt = dealtTo(view, customer);
  const { shardSize, inQuarantine } = dealt;
  const drained = passedOver(view, dealt);
  const tell = (slot: ScoredSlot) => ({ ...slot, number: slot.slot + 1, host: config.hosts?.[slot.slot] || null });
  const explained = rankSlots({ ...dealt, shardSize: shardSize + 1 }).map(tell);
  const slots = explained.slice(0, shardSize);
  const lowest = slots.at(-1)?.score ?? 0;
  const passed = rankSlots({
    ...dealt,
    shardSize: shardSize + drained.size,
    drained: dealt.drained.difference(drained),
  }).filter(({ slot, score }) => drained.has(slot) && score >= lowest);
  return {
    customer,
    totalHosts: config.totalHosts,
    shardSize,
    sizeFrom: config.customers.has(customer) ? 'customer' : 'default',
    deal: config.deals?.get(customer) ?? 0,
    inQuarantine,
    slots,
    next: explained[shardSize] ?? null,
    drained: passed.map(tell),
    overlap: overlapOf(view, customer, new Set(slots.map(({ slot }) => slot))),
  };
}

/** The drained and vacant slots that might be the customer's: of the quarantine, or of the others. */
function passedOver({ config, drained }: ShardView, { inQuarantine }: Dealt): ReadonlySet<number> {
  const first = config.totalHosts - (config.quarantineHosts ?? 0);
  return config.quarantineHosts ? new Set([...drained].filter((slot) => slot >= first === inQuarantine)) : drained;
}

function overlapOf(view: ShardView, customer: string, slots: ReadonlySet<number>): Overlap {
  const { config } = view;
  const named = namedCustomers(config);
  const others = named.keys().filter((name) => name !== customer);
  let [compared, sharingNone, spent] = [0, 0, 0];
  const sharingAll: string[] = [];
  for (const name of others) {
    if (spent >= maxScores) break;
    spent += rankingCost(dealtTo(view, name));
    compared += 1;
    const count = slotsIn(view, name).filter((slot) => slots.has(slot)).length;
    if (count === 0) sharingNone += 1;
    if (count === slots.size) sharingAll.push(name);
  }
  return {
    others: named.size - (named.has(customer) ? 1 : 0),
    compared,
    sharingNone,
    sharingSome: compared - sharingNone,
    sharingAll: sharingAll.length,
    namesSharingAll: sharingAll.slice(0, namesListed),
  };
}
