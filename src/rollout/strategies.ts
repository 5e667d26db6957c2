import { allAtOnce, everyone, type CustomerSet, type NodeSet, type Plan, type Wave } from './plan.ts';

const minute = 60_000;

function toNodes(nodes: NodeSet, minutes: number): Wave {
  return { ...everyone, nodes, bakeMs: minutes * minute };
}

function toCustomers(customers: CustomerSet, minutes: number): Wave {
  return { ...everyone, customers, bakeMs: minutes * minute };
}

/** The strategies that are there without settings. */
export const builtinStrategies: readonly Plan[] = [
  allAtOnce,
  {
    strategy: 'careful',
    waves: [
      toNodes({ type: 'count', count: 1 }, 2),
      toNodes({ type: 'share', share: 0.1 }, 5),
      toNodes({ type: 'share', share: 0.5 }, 5),
      toNodes({ type: 'everyone' }, 10),
    ],
  },
  {
    strategy: 'customers',
    waves: [
      toNodes({ type: 'count', count: 1 }, 2),
      toCustomers({ type: 'named', ids: ['acme-test'] }, 2),
      toCustomers({ type: 'share', share: 0.1 }, 5),
      toCustomers({ type: 'share', share: 0.5 }, 5),
      toNodes({ type: 'everyone' }, 10),
    ],
  },
];
