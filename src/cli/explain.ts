import type { Command } from 'commander';
import type { FleetExplanation } from '../daemon/explain-release.ts';
import type { DaemonInfo } from '../http/api.ts';
import { findDaemon } from './client.ts';
import { printable } from '../config/words.ts';
import { CliError } from './exit.ts';
import type { SettingsFlags } from './options.ts';
import { printJson, withJson, withSettings } from './options.ts';
import { follows } from './same-daemon.ts';
import { short } from '../release/short.ts';

/** `shardplane explain CUSTOMER`. */
export function defineExplain(program: Command): void {
  withJson(withSettings(program.command('explain')))
    .description('a customer’s shard under the live release, and why it is that')
    .argument('<customer>', 'the customer’s id, as in x-customer-id')
    .action(async (customer: string, flags: SettingsFlags & { json?: boolean }) => {
      const path = `/api/v1/explain?customer=${encodeURIComponent(customer)}`;
      const link = await findDaemon(flags, 'question');
      const found = (await link.ask(path)) as FleetExplanation | null;
      if (found === null) throw new CliError('no release is live yet', { hint: 'shardplane status says why' });
      if (flags.json) printJson(found);
      else console.log(formatExplanation(found, link.daemon));
    });
}

/** The explanation as text. */
export function formatExplanation(found: FleetExplanation, daemon: DaemonInfo | null): string {
  const { others, compared, sharingSome, sharingAll, namesSharingAll } = found.overlap;
  const whom = compared < others ? `first ${compared} of the ${others}` : String(others);
  const key = `shuffle_sharding.customer.${printable(found.customer)}.shard_size`;
  const reason =
    found.sizeFrom === 'customer'
      ? `${key} = ${found.shardSize}`
      : `${key} is not set: shuffle_sharding.default_shard_size = ${found.shardSize}`;
  return [
    `${printable(found.customer)}  x-shard-assignment: [${found.assignment.join(',')}]  x-shard-config: ${found.shardSize}/${found.totalHosts}`,
    `  version ${short(found.version)}${daemon ? ` of ${printable(follows(daemon))}` : ''}`,
    ...toViewLines(found),
    ...toAheadLines(found),
    `  ${reason}`,
    ...toDealLines(found),
    `  the ${found.shardSize} highest of ${found.totalHosts} scores${found.drained.length > 0 ? ', past those that are drained' : ''}:`,
    ...found.slots.map((slot, rank) => `    ${rank + 1}. ${toSlotLine(slot)}`),
    ...found.drained.map((slot) => `    drained: ${toSlotLine(slot)}`),
    ...(found.next ? [`  one more would be ${toSlotLine(found.next)}`] : []),
    ...(others === 0
      ? []
      : [
          `  of the ${whom} other customers in the config ${sharingSome} share a host with it, ${sharingAll} share them all`,
        ]),
    ...(namesSharingAll.length > 0 ? [`  sharing them all: ${namesSharingAll.map(printable).join(', ')}`] : []),
  ].join('\n');
}

/** What the customer's own entry says besides the size. */
function toDealLines({ customer, deal, inQuarantine }: FleetExplanation): string[] {
  const key = `shuffle_sharding.customer.${printable(customer)}`;
  const dealt = deal > 0 ? [`  ${key}.deal = ${deal}: the scores are those of ${printable(customer)}#${deal}`] : [];
  return inQuarantine ? [...dealt, `  ${key}.quarantine = true: of the quarantine's hosts alone`] : dealt;
}

/** Empty while there is only one view. */
function toViewLines({ viewReason, cutoverAt }: FleetExplanation): string[] {
  switch (viewReason) {
    case 'no-next-view':
      return [];
    case 'named-first':
      return ['  the next view: shuffle_sharding.next.first names this customer'];
    case 'below-cutover':
      return [`  the next view: this customer is at ${cutoverAt} of 10000, below shuffle_sharding.next.cutover`];
    case 'above-cutover':
      return [`  the current view: this customer is at ${cutoverAt} of 10000, not below shuffle_sharding.next.cutover`];
  }
}

/** Empty while all nodes do the same. */
function toAheadLines({ ahead }: FleetExplanation): string[] {
  if (ahead === null) return [];
  const { nodes, connected, version, assignment, shardSize, totalHosts } = ahead;
  const headers = `x-shard-assignment: [${assignment.join(',')}]  x-shard-config: ${shardSize}/${totalHosts}`;
  return [`  ${nodes} of ${connected} nodes: ${short(version)}, which is being rolled out  ${headers}`];
}

function toSlotLine({ number, host, score }: FleetExplanation['slots'][number]): string {
  return `host ${number}${host === null ? '' : ` (${host})`}, score ${score}`;
}
