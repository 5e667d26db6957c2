import type { WaveProgress } from '../rollout/types.ts';

/** `careful, wave 2 of 4`. */
export function describeWave({ strategy, wave, waves, customers }: WaveProgress): string {
  const some = customers === null ? '' : ` (customers: ${customers} %)`;
  return `${strategy}, wave ${wave} of ${waves}${some}`;
}
