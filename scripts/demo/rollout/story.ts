import { cutoverOf } from '../../../src/shard/choose-view.ts';
import type { Answer } from '../observe.ts';
import type { Values } from '../repository.ts';
import { hosts, shardSize, slotsOf } from '../story.ts';

const named = ['acme-test', 'acme-staging'];

const others = Array.from({ length: 98 }, (_, index) => `customer-${index + 1}`);

/** Whose requests the traffic is made of. */
export const customers = [...named, ...others];

/** Those that are shown at each stage: the named ones, and one for each of the other stages. */
export const shown = [...named, ...[between(0, 2500), between(2500, 6000), between(6000, 10_000)]];

function between(from: number, to: number): string {
  return others.find((id) => cutoverOf(id) >= from && cutoverOf(id) < to) ?? '';
}

/** A wave of the demo's strategy. */
export interface DemoWave {
  /** As shardplane.yaml has it. */
  readonly settings: string;
  readonly title: string;
  /** The same customers on each Envoy; else one Envoy, with all its customers. */
  readonly isByCustomers: boolean;
  /** Whether the customer has the release already, where the wave has reached the Envoy. */
  has(customer: string): boolean;
}

function below(cutover: number): (customer: string) => boolean {
  return (customer) => named.includes(customer) || cutoverOf(customer) < cutover;
}

export const waves: readonly DemoWave[] = [
  {
    settings: '{nodes: 1, bake: 10s}',
    title: 'one Envoy, with all its customers',
    isByCustomers: false,
    has: () => true,
  },
  {
    settings: `{customers: [${named.join(', ')}], bake: 5s}`,
    title: 'two customers, on all Envoys alike',
    isByCustomers: true,
    has: below(0),
  },
  {
    settings: '{customers: 25%, bake: 5s}',
    title: 'and those below 25 %',
    isByCustomers: true,
    has: below(2500),
  },
  {
    settings: '{customers: 60%, bake: 5s}',
    title: 'and those below 60 %',
    isByCustomers: true,
    has: below(6000),
  },
  {
    settings: '{bake: 4s}',
    title: 'everyone',
    isByCustomers: true,
    has: () => true,
  },
];

/** The part of shardplane.yaml that says how a commit reaches the Envoys. */
export const rolloutSettings = `rollout:
  strategy: little-by-little
  strategies:
    little-by-little:
${waves.map(({ settings, title }) => `      - ${settings.padEnd(52)} # ${title}\n`).join('')}`;

/** A ninth host: that of the ninth port, or of the tenth. */
export function ninthHost(ports: readonly number[], index: 8 | 9): Values {
  return [
    [['shuffle_sharding', 'total_hosts'], 9],
    [
      ['shuffle_sharding', 'hosts'],
      [...hosts(ports.slice(0, 8)), ...hosts(ports.slice(index, index + 1))],
    ],
  ];
}

/** What a customer must get, of so many hosts and by that commit: not asked of an Envoy, but computed here. */
export function answerOf(customer: string, totalHosts: number, version: string): Answer {
  const config = `${shardSize}/${totalHosts}`;
  return {
    status: 200,
    assignment: `[${slotsOf(customer, config).join(',')}]`,
    config,
    version: version.slice(0, 12),
  };
}
