import { isDeepStrictEqual } from 'node:util';
import type { Fault, Path } from '../config/fault.ts';
import { didYouMean } from '../config/nearest.ts';
import { show } from '../config/words.ts';
import type { Wave } from '../rollout/plan.ts';
import { builtinStrategies } from '../rollout/strategies.ts';
import { toMilliseconds } from './duration.ts';
import { fault } from './fault.ts';
import { isForAll, toShare, toWave } from './to-rollout.ts';
import type { RolloutFile, WaveFile } from './to-rollout.ts';

/** What a JSON Schema can't say of strategies, and of the rules that choose one. */
export function* strategyFaults(rollout: RolloutFile): Generator<Fault> {
  if (Object.hasOwn(rollout.strategies, 'all-at-once'))
    yield {
      ...fault(
        ['rollout', 'strategies', 'all-at-once'],
        'rollout.strategies: all-at-once is built in, and stays what it is',
        'give yours another name; careful and customers may be defined anew',
      ),
      at: 'key',
    };
  for (const [name, waves] of Object.entries(rollout.strategies)) yield* waveFaults(name, waves);
  yield* nameFaults(rollout);
  yield* ruleFaults(rollout);
}

function* nameFaults({ strategy, strategies, rules }: RolloutFile): Generator<Fault> {
  const names = [...new Set([...builtinStrategies.map((plan) => plan.strategy), ...Object.keys(strategies)])];
  const used: [Path, string][] = [
    [['rollout', 'strategy'], strategy],
    ...rules.map((rule, i): [Path, string] => [['rollout', 'rules', String(i), 'strategy'], rule.strategy]),
  ];
  for (const [path, name] of used) {
    if (names.includes(name)) continue;
    const hint = didYouMean(name, names) ?? `there are: ${names.slice(0, 20).join(', ')}`;
    yield fault(path, `${path.join('.')}: there is no strategy ${show(name)}`, hint);
  }
}

function* ruleFaults({ rules }: RolloutFile): Generator<Fault> {
  for (const [i, { when }] of rules.entries()) {
    const path = ['rollout', 'rules', String(i), 'when', 'moved'];
    const before = rules.slice(0, i).find((rule) => toShare(rule.when.moved) <= toShare(when.moved));
    if (toShare(when.moved) >= 1)
      yield fault(path, `rule ${i + 1}: more than ${when.moved} can't change hosts`, 'from 0% to below 100%');
    else if (before !== undefined)
      yield fault(
        path,
        `rule ${i + 1} never counts: what moves more than ${when.moved} moves more than ${before.when.moved}, and the first rule that matches counts`,
        'put the rule with the larger part first',
      );
  }
}

function* waveFaults(name: string, files: readonly WaveFile[]): Generator<Fault> {
  const waves = files.map(toWave);
  for (const [i, file] of files.entries()) {
    const path = ['rollout', 'strategies', name, String(i)];
    const own = [...ownFaults(path, `wave ${i + 1} of ${name}`, file)];
    yield* own;
    const wave = waves[i];
    if (own.length === 0 && wave !== undefined)
      yield* orderFaults({ path, title: `wave ${i + 1} of ${name}`, wave, before: waves.slice(0, i) });
  }
}

/** Faults of a wave by itself. */
function* ownFaults(path: Path, title: string, { nodes, customers, bake }: WaveFile): Generator<Fault> {
  if (nodes !== undefined && customers !== undefined)
    yield fault(
      path,
      `${title} has both nodes and customers`,
      'make it two waves, nodes first: a wave of customers is for all nodes',
    );
  for (const [key, value] of Object.entries({ nodes, customers })) {
    if (typeof value !== 'string' || (toShare(value) > 0 && toShare(value) <= 1)) continue;
    const what = toShare(value) > 1 ? 'more than there are' : 'nobody';
    yield fault([...path, key], `${title}: ${value} is ${what}`, 'from 0.01% to 100%');
  }
  if (typeof nodes === 'object' && Object.keys({ ...nodes, ...nodes.metadata }).every((key) => key === 'metadata'))
    yield fault(
      [...path, 'nodes'],
      `${title}: nodes says nothing of which`,
      'id, cluster, locality or metadata, as in {locality: eu-west/*}; for all leave nodes out',
    );
  if (toMilliseconds(bake) > 24 * 86_400_000)
    yield fault([...path, 'bake'], `${title}: ${bake} is too long`, 'bake is up to 24d');
}

interface Placed {
  readonly path: Path;
  readonly title: string;
  readonly wave: Wave;
  readonly before: readonly Wave[];
}

/** Faults of a wave after others. */
function* orderFaults({ path, title, wave, before }: Placed): Generator<Fault> {
  const key = wave.customers === null ? 'nodes' : 'customers';
  if (before.some(isForAll))
    yield fault(path, `${title} adds nobody: a wave before it is for everyone`, 'leave it out');
  else if (wave.nodes.type !== 'everyone' && before.some(({ customers }) => customers !== null))
    yield fault([...path, key], `${title} is of nodes, after one of customers`, 'put waves of nodes first');
  else if (before.some((earlier) => hasAll(earlier, wave)) || isNamedBefore(wave, before))
    yield fault(
      [...path, key],
      `${title} adds nobody to the waves before it`,
      'numbers and shares must grow; leave it out, or add its bake to the wave before',
    );
}

/** Whether all of `wave` are in an earlier one that is of the same kind. */
function hasAll(earlier: Wave, wave: Wave): boolean {
  if (wave.customers !== null)
    return (
      wave.customers.type === 'share' &&
      earlier.customers?.type === 'share' &&
      earlier.customers.share >= wave.customers.share
    );
  const [a, b] = [earlier.nodes, wave.nodes];
  if (a.type === 'count' && b.type === 'count') return a.count >= b.count;
  if (a.type === 'share' && b.type === 'share') return a.share >= b.share;
  return a.type === 'matching' && b.type === 'matching' && isDeepStrictEqual(a.globs, b.globs);
}

function isNamedBefore({ customers }: Wave, before: readonly Wave[]): boolean {
  if (customers?.type !== 'named') return false;
  const named = new Set(before.flatMap((wave) => (wave.customers?.type === 'named' ? wave.customers.ids : [])));
  return customers.ids.every((id) => named.has(id));
}
