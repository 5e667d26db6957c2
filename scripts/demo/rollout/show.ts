import { cutoverOf } from '../../../src/shard/choose-view.ts';
import type { Panel } from './fleet.ts';
import { customers, shown } from './story.ts';

const width = 18;

/** What the shown customers get of each Envoy, and how many of all have that version. */
export function drawPanel(panel: Panel, version: string): string[] {
  const short = version.slice(0, 12);
  const cell = (envoy: string, customer: string): string => {
    const answer = panel.get(envoy)?.get(customer);
    return `${answer?.config} ${answer?.version}`;
  };
  const count = (envoy: string): string =>
    `${[...(panel.get(envoy)?.values() ?? [])].filter((answer) => answer.version === short).length}`;
  const row = (name: string, place: string, of: (envoy: string) => string): string =>
    `${name.padEnd(13)}${place.padStart(7)}   ${[...panel.keys()].map((envoy) => of(envoy).padEnd(width)).join('')}`;
  return [
    row('customer', 'place', (envoy) => envoy),
    ...shown.map((customer) => row(customer, placeOf(customer), (envoy) => cell(envoy, customer))),
    row(`of all ${customers.length}`, '', (envoy) => `${count(envoy)} have it`),
  ].map((line) => line.trimEnd());
}

function placeOf(customer: string): string {
  return `${(cutoverOf(customer) / 100).toFixed(1)} %`;
}
