import type { Gauge } from 'prom-client';
import type { Sums } from '../load/sums.ts';
import type { CheckVerdict } from '../rollout/types.ts';

const phases = ['waiting', 'pushing', 'baking', 'paused', 'none'] as const;

/** The current values of a rollout for a scrape. */
export interface RolloutGauges {
  /** `paused` instead of the phase that it is paused in. */
  readonly phase: (typeof phases)[number];
  /** 0: before the first, or there is none. */
  readonly wave: number;
  readonly waves: number;
  /** Each check's last verdict. */
  readonly checks: readonly { readonly name: string; readonly verdict: CheckVerdict | null }[];
  /** How long it has been baking beyond its end: its checks don't pass. */
  readonly overdueMs: number;
  readonly isFrozen: boolean;
  /** In the last minute, of the nodes that the rollout has reached and of the others. */
  readonly load: { readonly wave: Sums; readonly rest: Sums };
}

const verdicts = ['pass', 'fail', 'no_data'] as const;

type AddGauge = (
  name: string,
  help: string,
  labelNames: readonly string[],
  collect: (gauge: Pick<Gauge, 'set'>) => void,
) => void;

/** Registers the gauges of rollouts. */
export function observeRollout(read: () => RolloutGauges, add: AddGauge): void {
  add('shardplane_rollout_phase', '1 for the phase of the rollout that is on.', ['phase'], (gauge) => {
    const { phase } = read();
    for (const each of phases) gauge.set({ phase: each }, Number(each === phase));
  });
  add('shardplane_rollout_wave', 'The wave of the rollout that is on, from 1.', [], (gauge) => gauge.set(read().wave));
  add('shardplane_rollout_waves', 'How many waves it has.', [], (gauge) => gauge.set(read().waves));
  add('shardplane_rollout_check', '1 for the last verdict of each check.', ['name', 'verdict'], (gauge) => {
    for (const { name, verdict } of read().checks)
      for (const each of verdicts) gauge.set({ name, verdict: each }, Number(each === verdict));
  });
  add('shardplane_rollout_bake_seconds', 'How long a wave has baked beyond its end.', [], (gauge) =>
    gauge.set(read().overdueMs / 1_000),
  );
  add('shardplane_frozen', '1 while no wave may begin.', [], (gauge) => gauge.set(Number(read().isFrozen)));
  const loads = ['requests', 'errors'] as const;
  for (const each of loads)
    add(`shardplane_load_${each}`, `The ${each} that nodes have reported in the last minute.`, ['of'], (gauge) => {
      const { wave, rest } = read().load;
      gauge.set({ of: 'wave' }, wave[each]);
      gauge.set({ of: 'rest' }, rest[each]);
    });
}
