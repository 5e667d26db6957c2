import { assignShard } from '../../src/shard/assign.ts';
import type { Values } from './repository.ts';

/** The commits of the demo, and the result of each that curl must see. */
export interface Step {
  readonly title: string;
  readonly subject: string;
  readonly values: Values;
  /** How many backends run from here on. */
  readonly backends: number;
  /** The customer whose headers are shown in full. */
  readonly customer: string;
  /** `x-shard-config` of each customer. */
  readonly expected: Readonly<Record<string, string>>;
}

export const first = {
  subject: 'Begin: 8 hosts, 2 for each customer',
  backends: 8,
  customer: 'customer-A',
  expected: { 'customer-A': '2/8', 'customer-B': '2/8', 'customer-C': '2/8' },
} as const;

/** Of a customer without an entry. */
export const shardSize = 2;

/** The repository's first config. */
export function firstConfig(ports: readonly number[]): string {
  return `# How the Envoys shard their customers. Edit, commit: that is all.
shuffle_sharding:
  total_hosts: 8
  default_shard_size: ${shardSize}
  customer:
    customer-A: {shard_size: 2}
    customer-B: {shard_size: 2}
    customer-C: {shard_size: 2}
  hosts:
${hosts(ports.slice(0, first.backends))
  .map((host) => `    - ${host}\n`)
  .join('')}`;
}

/** The two changes that follow. */
export function steps(ports: readonly number[]): Step[] {
  const size = (customer: string): string[] => ['shuffle_sharding', 'customer', customer, 'shard_size'];
  return [
    {
      title: 'four more hosts, and customer-A gets 3 of them',
      subject: 'Grow to 12 hosts, 3 for customer-A',
      values: [
        [['shuffle_sharding', 'total_hosts'], 12],
        [['shuffle_sharding', 'hosts'], hosts(ports)],
        [size('customer-A'), 3],
      ],
      backends: 12,
      customer: 'customer-A',
      expected: { 'customer-A': '3/12', 'customer-B': '2/12', 'customer-C': '2/12' },
    },
    {
      title: 'customer-B gets 4 hosts',
      subject: 'Give customer-B 4 hosts',
      values: [[size('customer-B'), 4]],
      backends: 12,
      customer: 'customer-B',
      expected: { 'customer-A': '3/12', 'customer-B': '4/12', 'customer-C': '2/12' },
    },
  ];
}

/** The numbers of a customer's hosts, from 1, with `x-shard-config: size/hosts`. */
export function slotsOf(customer: string, config: string): number[] {
  const [shardSize = 0, totalHosts = 0] = config.split('/').map(Number);
  return assignShard({ customer, shardSize, totalHosts }).map((slot) => slot + 1);
}

export function hosts(ports: readonly number[]): string[] {
  return ports.map((port) => `127.0.0.1:${port}`);
}
