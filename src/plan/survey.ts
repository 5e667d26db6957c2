import { namedCustomers, type Customers, type ShardConfig } from '../config/config.ts';
import { rankingCost } from '../shard/assign.ts';
import { slotsIn } from '../shard/shard-of.ts';
import { createComparison, toMove, type ComparedCustomer } from './compare.ts';
import { FreedCounter } from './freed.ts';
import { layOut, type Layout, type Side } from './layout.ts';
import { LoadCounter } from './load.ts';
import { movesFormula } from './moves-formula.ts';
import { MoveCounter } from './moves.ts';
import type { Change, HostLoad, Move, ChangePlan, Twins } from './plan.ts';
import { OverlapCounter } from './overlap.ts';
import { lookInSteps, thin } from './steps.ts';
import { TwinFinder } from './twins.ts';

/** How closely to look. */
export interface SurveyOptions {
  /** Chooses the ids of the sample. */
  readonly seed?: number;
  /** How many unnamed ids are tried. Default: 10,000. */
  readonly sample?: number;
  /** What the named customers may cost, in scores (rankingCost); beyond it, some of them are looked at. */
  readonly maxScores?: number;
  /** The same for {@link ChangePlan.mostShared}, in customers that share a slot: for each customer, and for each slot of it. */
  readonly maxPairs?: number;
}

/** What a look at each customer tells. */
export interface Survey extends Pick<ChangePlan, 'named' | 'unnamed' | 'quarantined' | 'mostShared'> {
  readonly layout: Layout;
  readonly twins: Change<Twins>;
  readonly load: Change<HostLoad>;
}

/** A minute or so. */
const defaultScores = 4e9;
/** Less than a second. */
const defaultPairs = 1e8;
/** The same as the first for the sample. */
const sampleScores = 1e9;

/** Looks at all customers; yields the part (0 to 1) that is done, every few milliseconds. */
export function* survey(
  before: ShardConfig,
  after: ShardConfig,
  { seed = 1, sample = 10_000, maxScores = defaultScores, maxPairs = defaultPairs }: SurveyOptions = {},
): Generator<number, Survey> {
  const [old, now] = [namedCustomers(before), namedCustomers(after)];
  const names = new Set([...old.keys(), ...now.keys()]);
  const ids = unnamedIds(names, { seed, count: sample });
  const layout = layOut(before, after);
  const named = new Group(layout, { names: { before: old, after: now }, maxPairs });
  const unnamed = new Group(layout, null);
  const freed = new FreedCounter(layout);
  const compare = createComparison(layout);
  const looked = thin([...names], maxScores / costOfNamed(layout));
  const tried = ids.slice(
    0,
    Math.max(100, Math.floor(sampleScores / costOf(layout, layout.before.size + layout.after.size))),
  );
  yield* lookInSteps([...looked, ...tried], (customer, i) => {
    const isNamed = i < looked.length;
    const compared = compare(customer);
    freed.add(compared, isNamed);
    const cost = (isNamed ? named : unnamed).add(compared);
    return cost + costOf(layout, compared.before.length + compared.after.length);
  });
  return {
    layout,
    named: { ...named.moves.result(names.size), moves: named.moved },
    unnamed: { ...unnamed.moves.result(tried.length), seed, formula: movesFormula(layout) },
    quarantined: freed.result(tried.length),
    twins: named.twins(),
    mostShared: looked.length < names.size ? { before: null, after: null } : named.mostShared(),
    load: {
      before: loadOf('before', { layout, named, unnamed }),
      after: loadOf('after', { layout, named, unnamed }),
    },
  };
}

/** What one customer costs that has so many hosts before and after together. */
function costOf({ before, after }: Layout, shardSize: number): number {
  return rankingCost({ totalHosts: before.members.length + after.members.length, shardSize });
}

/** The same for a named one, on average. */
function costOfNamed(layout: Layout): number {
  const sizes = [layout.before, layout.after].map(({ view: { config }, open }) => {
    let sum = 0;
    for (const size of config.customers.values()) sum += Math.min(size, open.size);
    return sum / Math.max(1, config.customers.size);
  });
  return costOf(
    layout,
    sizes.reduce((a, b) => a + b),
  );
}

function unnamedIds(names: ReadonlySet<string>, { seed, count }: { seed: number; count: number }): string[] {
  const ids: string[] = [];
  for (let i = 0; ids.length < count; i++) {
    const id = `unnamed-${seed}-${i}`;
    if (!names.has(id)) ids.push(id);
  }
  return ids;
}

/** The named customers, or the unnamed. */
class Group {
  readonly moves = new MoveCounter();
  readonly moved: Move[] = [];
  readonly #layout: Layout;
  /** Null: of the unnamed. */
  readonly #names: Change<Customers> | null;
  readonly #twins: Change<TwinFinder> = { before: new TwinFinder(), after: new TwinFinder() };
  readonly #load: Change<LoadCounter>;
  readonly #overlap: Change<OverlapCounter>;

  constructor(layout: Layout, of: { readonly names: Change<Customers>; readonly maxPairs: number } | null) {
    this.#layout = layout;
    this.#names = of?.names ?? null;
    const counter = (side: 'before' | 'after'): OverlapCounter => {
      const isCheap = of !== null && pairsOf(layout[side], of.names[side]) <= of.maxPairs;
      return new OverlapCounter(of?.names[side].size ?? 0, isCheap ? of.maxPairs : 0);
    };
    this.#overlap = { before: counter('before'), after: counter('after') };
    const [before, after] = [layout.before.members.length, layout.after.members.length];
    this.#load = { before: new LoadCounter(before), after: new LoadCounter(after) };
  }

  /** Returns what it cost beside the comparison, in scores. */
  add(compared: ComparedCustomer): number {
    const { customer, kind } = compared;
    let cost = 0;
    this.moves.add(compared);
    if (kind !== null) this.moved.push(toMove({ ...compared, kind }));
    for (const side of ['before', 'after'] as const) {
      if (this.#names?.[side].has(customer) === false) continue;
      this.#load[side].add(compared[side]);
      // those in quarantine have the same hosts, and are meant to
      const isApart = this.#layout[side].view.config.quarantined?.has(customer) === true;
      if (this.#names === null || isApart) continue;
      this.#twins[side].add(customer, compared[side]);
      cost += this.#overlap[side].add(compared[side]);
    }
    return cost;
  }

  mostShared(): ChangePlan['mostShared'] {
    return { before: this.#overlap.before.result(), after: this.#overlap.after.result() };
  }

  twins(): Change<Twins> {
    const of = (side: 'before' | 'after'): Twins =>
      this.#twins[side].result((customer) => slotsIn(this.#layout[side].view, customer));
    return { before: of('before'), after: of('after') };
  }

  load(of: HostLoad['of'], side: 'before' | 'after'): HostLoad {
    return this.#load[side].result(of, this.#layout[side]);
  }
}

/** How many pairs of customers share a slot, for each slot, roughly: as if all slots had as many. */
function pairsOf({ view: { config }, open }: Side, names: Customers): number {
  let slots = 0;
  for (const id of names.keys()) slots += Math.min(config.customers.get(id) ?? config.defaultShardSize, open.size);
  return slots ** 2 / (2 * Math.max(1, open.size));
}

interface Groups {
  readonly layout: Layout;
  readonly named: Group;
  readonly unnamed: Group;
}

/** A few named customers say nothing of how busy a host is: then the sample does. */
function loadOf(side: 'before' | 'after', { layout, named, unnamed }: Groups): HostLoad {
  const { config } = layout.after.view;
  return namedCustomers(config).size >= config.totalHosts ? named.load('named', side) : unnamed.load('sample', side);
}
