import { shardSize, slotsOf } from '../story.ts';
import type { Sample } from './traffic.ts';

/** What a bad commit did to the customers of one Envoy. */
export interface Damage {
  /** In words. */
  readonly line: string;
  /** What should not have been; empty: all is as expected. */
  readonly faults: readonly string[];
}

/** Judges what one Envoy's customers saw. `version`: the bad commit, whose ninth host answers 500; `isInWave`: whether this Envoy got it. */
export function assess(
  envoy: string,
  samples: readonly Sample[],
  { version, isInWave }: { version: string; isInWave: boolean },
): Damage {
  const bad = samples.filter(({ status }) => status !== 200);
  const hadIt = samples.some((sample) => sample.version === version.slice(0, 12));
  const faults = isInWave ? faultsInWave(bad, hadIt) : faultsElsewhere(bad, hadIt);
  const had = hadIt ? 'had it' : 'never had it';
  return {
    line: `${envoy}  ${had.padEnd(12)}  ${String(samples.length).padStart(4)} requests, ${describe(bad)}`,
    faults: faults.map((fault) => `${envoy}: ${fault}`),
  };
}

function describe(bad: readonly Sample[]): string {
  if (bad.length === 0) return 'no error';
  const statuses = [...new Set(bad.map(({ status }) => status))].join(', ');
  const ids = new Set(bad.map(({ customer }) => customer));
  const whose = bad.every(isOfNinthHost) ? `${ids.size} customers, all of host 9` : `${ids.size} customers`;
  return `${bad.length} errors (${statuses}) for ${whose}`;
}

function isOfNinthHost({ customer, status }: Sample): boolean {
  return status === 500 && slotsOf(customer, `${shardSize}/9`).includes(9);
}

function faultsInWave(bad: readonly Sample[], hadIt: boolean): string[] {
  const strange = bad.filter((sample) => !isOfNinthHost(sample));
  return [
    ...(hadIt ? [] : ['no answer was by the bad commit']),
    ...(bad.length > 0 ? [] : ['there was no error, though the ninth host answers 500']),
    ...strange.slice(0, 5).map(({ customer, status }) => `${status} for ${customer}, which has no host 9`),
  ];
}

function faultsElsewhere(bad: readonly Sample[], hadIt: boolean): string[] {
  return [
    ...(hadIt ? ['answers were by the bad commit, and it is not in the wave'] : []),
    ...bad.slice(0, 5).map(({ customer, status }) => `${status} for ${customer}, though it is not in the wave`),
  ];
}
