import {
  everyone,
  type CheckSettings,
  type FreezeWindow,
  type NodeGlobs,
  type Plan,
  type PrometheusCheck,
  type RolloutPolicy,
  type Wave,
} from '../rollout/plan.ts';
import { builtinStrategies } from '../rollout/strategies.ts';
import { toMilliseconds } from './duration.ts';

/** `rollout:` as schemas/settings.schema.json accepts it, with defaults filled in. */
export interface RolloutFile {
  strategy: string;
  strategies: Record<string, WaveFile[]>;
  rules: { when: { moved: string }; strategy: string }[];
  checks: { errors: NonNullable<CheckSettings['errors']> | 'off'; prometheus: PrometheusFile[] };
  freeze: FreezeFile[];
}

/** One wave: `nodes` or `customers`, or neither. */
export interface WaveFile {
  nodes?: number | string | NodeGlobs;
  customers?: string | string[];
  bake: string;
  promote: 'auto' | 'manual';
}

/** One entry of `checks.prometheus`. */
export interface PrometheusFile {
  name: string;
  url: string;
  query: string;
  max?: number;
  min?: number;
  every: string;
  timeout: string;
}

/** One entry of `freeze`: `from` and `to`, or `cron` and `for`. */
export interface FreezeFile {
  from?: string;
  to?: string;
  cron?: string;
  for?: string;
  zone: string;
  reason: string;
}

/** The policy of settings without a fault. */
export function toRollout(file: RolloutFile): RolloutPolicy {
  const own = Object.entries(file.strategies).map(([name, waves]) => toPlan(name, waves));
  return {
    strategies: new Map([...builtinStrategies, ...own].map((plan) => [plan.strategy, plan])),
    strategy: file.strategy,
    rules: file.rules.map(({ when, strategy }) => ({ moved: toShare(when.moved), strategy })),
    checks: {
      errors: file.checks.errors === 'off' ? null : file.checks.errors,
      prometheus: file.checks.prometheus.map(toPrometheus),
    },
    freeze: file.freeze.map(toWindow),
  };
}

/** Who is still missing after the last wave gets it when that is over. */
function toPlan(strategy: string, file: readonly WaveFile[]): Plan {
  const waves = file.map(toWave);
  const last = waves.at(-1);
  return { strategy, waves: last !== undefined && isForAll(last) ? waves : [...waves, everyone] };
}

/** Whether it is for all nodes, with all customers. */
export function isForAll({ nodes, customers }: Wave): boolean {
  return nodes.type === 'everyone' && customers === null;
}

/** One wave of the file. 100 % is everyone. */
export function toWave({ nodes, customers, bake, promote }: WaveFile): Wave {
  return {
    nodes: toNodes(nodes),
    customers: toCustomers(customers),
    bakeMs: toMilliseconds(bake),
    isManual: promote === 'manual',
  };
}

function toNodes(nodes: WaveFile['nodes']): Wave['nodes'] {
  if (nodes === undefined) return { type: 'everyone' };
  if (typeof nodes === 'number') return { type: 'count', count: nodes };
  if (typeof nodes === 'object') return { type: 'matching', globs: nodes };
  const share = toShare(nodes);
  return share === 1 ? { type: 'everyone' } : { type: 'share', share };
}

function toCustomers(customers: WaveFile['customers']): Wave['customers'] {
  if (customers === undefined) return null;
  if (typeof customers !== 'string') return { type: 'named', ids: customers };
  const share = toShare(customers);
  return share === 1 ? null : { type: 'share', share };
}

/** `12.5%` as 0.125. */
export function toShare(percent: string): number {
  return Math.round(Number(percent.slice(0, -1)) * 100) / 10_000;
}

function toPrometheus({ every, timeout, ...check }: PrometheusFile): PrometheusCheck {
  const { max = null, min = null } = check;
  return { ...check, max, min, everyMs: toMilliseconds(every), timeoutMs: toMilliseconds(timeout) };
}

function toWindow({ from = '', to = '', cron, for: length = '', zone, reason }: FreezeFile): FreezeWindow {
  if (cron === undefined) return { type: 'once', from, to, zone, reason };
  return { type: 'cron', cron, forMs: toMilliseconds(length), zone, reason };
}
