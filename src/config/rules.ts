import { addressFault } from './host-address.ts';
import { namedCustomers, type ShardConfig } from './config.ts';
import type { Fault, Path } from './fault.ts';
import { runtimeFaults } from './runtime-rules.ts';
import { bounds } from './schema-file.ts';
import { count, nameOf, show } from './words.ts';

const section = 'shuffle_sharding';

/** What the rules need besides the config. */
export interface RuleContext {
  /** `total_hosts` as it is written, or null where it is left out. */
  readonly totalHosts: number | null;
  /** True under the built-in schema: runtime values must print exactly. */
  readonly exact: boolean;
  /** The text of the scalar at a path, as it is written. */
  readonly sourceOf: (path: Path) => string | null;
}

/** Checks that a JSON Schema can't express. */
export function ruleFaults(config: ShardConfig, context: RuleContext): Fault[] {
  return [
    ...hostFaults(config.hosts ?? [], context),
    ...drainFaults(config),
    ...disagreement(config, context),
    ...shardFaults(config),
    ...quarantineFaults(config),
    ...customerFaults(config),
    ...runtimeFaults(config.runtime, context),
  ];
}

function* hostFaults(hosts: readonly string[], { sourceOf }: RuleContext): Generator<Fault> {
  const slots = new Map<string, number>();
  for (const [slot, host] of hosts.entries()) {
    const item = [section, 'hosts', String(slot)];
    const path = sourceOf(item) === null ? [...item, 'address'] : item;
    const wrong = addressFault(host);
    if (wrong !== null) yield fault('bad-host', path, `${nameOf(path)}: ${show(host)} ${wrong.message}`, wrong.hint);
    const first = slots.get(host);
    if (first === undefined) slots.set(host, slot);
    else yield fault('duplicate-host', path, `${show(host)} is already host ${first + 1}`, 'each host is there once');
  }
}

function* drainFaults(config: ShardConfig): Generator<Fault> {
  const { totalHosts, hosts, drained = [], quarantineHosts = 0, quarantined } = config;
  if (hosts === null || totalHosts === 0) return;
  const first = totalHosts - quarantineHosts;
  const apart = drained.filter((slot) => slot >= first).length;
  const hint = 'a host that drains hands its customers to others: leave one that does not';
  if (first > 0 && drained.length - apart === first)
    yield fault('all-drained', [section, 'hosts'], `all ${first} hosts drain, so that nobody is served`, hint);
  if (quarantined !== undefined && quarantineHosts > 0 && apart === quarantineHosts) {
    const message = 'every host of the quarantine drains, and there are customers in it';
    yield fault('all-drained', [section, 'hosts'], message, hint);
  }
}

function* disagreement({ hosts }: ShardConfig, { totalHosts }: RuleContext): Generator<Fault> {
  if (hosts === null || totalHosts === null || totalHosts === hosts.length) return;
  const message = `total_hosts is ${totalHosts}, but hosts has ${count(hosts.length, 'address')}`;
  const hint = 'leave total_hosts out, or make them agree';
  yield fault('hosts-disagree', [section, 'total_hosts'], message.replace(/addresss$/, 'addresses'), hint);
}

function* shardFaults({ totalHosts, quarantineHosts = 0, defaultShardSize, customers }: ShardConfig): Generator<Fault> {
  const most = totalHosts - quarantineHosts;
  if (most < 1) return; // quarantineFaults says it
  const there = most === 1 ? 'there is only 1 host' : `there are only ${most} hosts`;
  const beside = quarantineHosts > 0 ? ` beside the quarantine's ${quarantineHosts}` : '';
  const hint = `write ${most === 1 ? '1' : `${most} or less`}, or add hosts`;
  const tooBig = (path: Path, size: number) =>
    fault('shard-too-big', path, `${nameOf(path)} is ${size}, but ${there}${beside}`, hint);
  if (defaultShardSize > most) yield tooBig([section, 'default_shard_size'], defaultShardSize);
  for (const [id, size] of customers) {
    if (size > most) yield tooBig([section, 'customer', id, 'shard_size'], size);
  }
}

function* quarantineFaults(config: ShardConfig): Generator<Fault> {
  const { totalHosts, quarantineHosts = 0, quarantined = new Set<string>(), quarantineUntil = [] } = config;
  if (quarantineHosts >= totalHosts && totalHosts > 0) {
    const message = `quarantine_hosts is ${quarantineHosts} of ${count(totalHosts, 'host')}: there is none for the others`;
    const hint = totalHosts > 1 ? `write ${totalHosts - 1} or less, or add hosts` : 'leave it out, or add hosts';
    yield fault('quarantine', [section, 'quarantine_hosts'], message, hint);
  }
  for (const id of quarantineHosts > 0 ? [] : quarantined) {
    const message = `the customer ${show(id)} is in quarantine, and no host is set apart for that`;
    const hint = 'write quarantine_hosts: 1 (the last host of the list) under shuffle_sharding';
    yield fault('quarantine', [section, 'customer', id, 'quarantine'], message, hint);
  }
  for (const [id, until] of quarantineUntil) {
    const path = [section, 'customer', id, 'quarantine_until'];
    if (Number.isNaN(until)) yield fault('quarantine', path, `${nameOf(path)} is no time of the calendar`, null);
    if (quarantined.has(id)) continue;
    const message = `the customer ${show(id)} has quarantine_until and is not in quarantine`;
    yield fault('quarantine', path, message, 'write quarantine: true beside it, or remove it');
  }
}

function* customerFaults(config: ShardConfig): Generator<Fault> {
  const { customers, deals, quarantined } = config;
  // what a key of theirs ends with
  const ends = [
    ['.shard_size', customers],
    ['.deal', deals],
    ['.quarantine', quarantined],
  ] as const;
  for (const id of namedCustomers(config).keys()) {
    const path = [section, 'customer', id];
    const length = Buffer.byteLength(id);
    if (length > bounds.customerIdBytes) {
      yield fault(
        'schema',
        path,
        `a customer id has ${length} bytes in UTF-8`,
        `at most ${bounds.customerIdBytes}: Envoy's filter refuses longer ones`,
      );
    }
    const hidden = /[\p{Cf}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.exec(id)?.[0];
    if (hidden !== undefined) yield fault('schema', path, ...hiddenCharacter(id, hidden));
    for (const other of ends.flatMap(([end, having]) => clashingCustomer(id, end, having) ?? []))
      yield fault('key-clash', path, clash(id, other), 'rename one of the two customers');
  }
}

/** With invisible characters, two ids that look alike would be two customers. */
function hiddenCharacter(id: string, character: string): [message: string, hint: string] {
  const code = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  return [`the customer ${show(id)} has an invisible character, ${code}`, 'remove it, or write a usual space'];
}

/** `a` and `a.shard_size` are two customers, but the runtime key of the first is the beginning of the second's. */
function clashingCustomer(id: string, end: string, having: Pick<Set<string>, 'has'> = new Set()): string | null {
  for (let dot = id.indexOf(end); dot !== -1; dot = id.indexOf(end, dot + 1)) {
    const rest = id.charAt(dot + end.length);
    if ((rest === '' || rest === '.') && having.has(id.slice(0, dot))) return id.slice(0, dot);
  }
  return null;
}

function clash(id: string, other: string): string {
  return `the customers ${show(other)} and ${show(id)} make one runtime key both a value and a mapping`;
}

function fault(code: Fault['code'], path: Path, message: string, hint: string | null): Fault {
  const at = code === 'schema' || code === 'key-clash' ? 'key' : 'value';
  return { code, message, hint, path, at };
}
