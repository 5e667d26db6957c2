import { count } from '../config/words.ts';
import type { WaveProgress } from '../rollout/types.ts';

/** `careful, wave 2 of 4`. */
export function describeWave({ strategy, wave, waves, customers }: WaveProgress): string {
  const some = customers === null ? '' : ` (${describeCustomers(customers)})`;
  return `${strategy}, wave ${wave} of ${waves}${some}`;
}

/** `2 customers and 10 % of the customers`. */
export function describeCustomers({ percent, named }: NonNullable<WaveProgress['customers']>): string {
  const names = named === 0 ? [] : [count(named, 'customer')];
  return [...names, ...(percent === 0 ? [] : [`${percent} % of the customers`])].join(' and ');
}
