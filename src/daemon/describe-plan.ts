import { count, exactPercent, listSome } from '../config/words.ts';
import type { CustomerSet, NodeSet, Wave } from '../rollout/plan.ts';

/** A wave in a few words: `10 % of the nodes, 5 min`. */
export function describePlanned({ nodes, customers, bakeMs, isManual }: Wave): string {
  return [
    customers === null ? describeNodes(nodes) : describeCustomers(customers),
    ...(bakeMs > 0 ? [duration(bakeMs)] : []),
    ...(isManual ? ['once promoted'] : []),
  ].join(', ');
}

function describeNodes(nodes: NodeSet): string {
  switch (nodes.type) {
    case 'everyone':
      return 'everyone';
    case 'count':
      return count(nodes.count, 'node');
    case 'share':
      return `${exactPercent(nodes.share)} of the nodes`;
    case 'matching': {
      const { id, cluster, locality, metadata = {} } = nodes.globs;
      const wanted = Object.entries({ id, cluster, locality, ...metadata });
      return `nodes with ${wanted.flatMap(([key, glob]) => (glob === undefined ? [] : [`${key} ${glob}`])).join(', ')}`;
    }
  }
}

function describeCustomers(customers: CustomerSet): string {
  if (customers.type === 'share') return `${exactPercent(customers.share)} of the customers`;
  return `customers ${listSome(customers.ids)}`;
}

const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const;

/** A time span in its two largest units, rounded up to a second: `2 h 30 min`, `45 s`. */
export function duration(ms: number): string {
  let left = Math.max(0, Math.ceil(ms / 1_000));
  const parts = units.map(([unit, seconds]) => {
    const whole = Math.floor(left / seconds);
    left -= whole * seconds;
    return { unit, whole };
  });
  const first = parts.findIndex(({ whole }) => whole > 0);
  if (first < 0) return '0 s';
  const shown = parts.slice(first, first + 2).filter(({ whole }) => whole > 0);
  return shown.map(({ unit, whole }) => `${whole} ${unit}`).join(' ');
}
