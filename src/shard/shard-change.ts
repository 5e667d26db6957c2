import { dealtTo, slotsIn, type ShardView } from './shard-of.ts';

/** A customer's hosts under one config. */
export interface CustomerShard {
  /** How many hosts its size asks for. */
  readonly size: number;
  readonly sizeFrom: 'customer' | 'default';
  readonly totalHosts: number;
  /** 0: it was not dealt anew. */
  readonly deal: number;
  readonly inQuarantine: boolean;
  /** Best first; `number` from 1, `host` null in cluster mode. */
  readonly hosts: readonly { readonly number: number; readonly host: string | null }[];
}

/** What a commit did to a customer's hosts. */
export interface ShardChange {
  /** Null: nothing is known of before. */
  readonly before: CustomerShard | null;
  readonly after: CustomerShard;
  /** Why, in words; empty where nothing is known of before. */
  readonly causes: readonly string[];
}

/** A customer's hosts. */
export function describeShard(view: ShardView, customer: string): CustomerShard {
  const { totalHosts, customers, defaultShardSize, deals, hosts } = view.config;
  const own = customers.get(customer);
  return {
    size: own ?? defaultShardSize,
    sizeFrom: own === undefined ? 'default' : 'customer',
    totalHosts,
    deal: deals?.get(customer) ?? 0,
    inQuarantine: dealtTo(view, customer).inQuarantine,
    hosts: slotsIn(view, customer).map((slot) => ({ number: slot + 1, host: hosts?.[slot] ?? null })),
  };
}

/** Null: it keeps its hosts (the same numbers, with the same addresses). */
export function changeOf(before: ShardView, after: ShardView, customer: string): ShardChange | null {
  const [old, now] = [describeShard(before, customer), describeShard(after, customer)];
  const keys = new Set(old.hosts.map(keyOf));
  if (old.hosts.length === now.hosts.length && now.hosts.every((host) => keys.has(keyOf(host)))) return null;
  return { before: old, after: now, causes: [...ownCauses(old, now), ...hostCauses(before, after, { old, now })] };
}

function keyOf({ number, host }: CustomerShard['hosts'][number]): string {
  return `${number} ${host ?? ''}`;
}

function ownCauses(old: CustomerShard, now: CustomerShard): string[] {
  const sized = ({ size, sizeFrom }: CustomerShard): string => `${size}${sizeFrom === 'default' ? ' (default)' : ''}`;
  return [
    ...(old.size === now.size ? [] : [`size ${sized(old)} -> ${sized(now)}`]),
    ...(old.deal === now.deal ? [] : [`deal ${old.deal} -> ${now.deal}`]),
    ...(old.inQuarantine === now.inQuarantine ? [] : [now.inQuarantine ? 'quarantined' : 'out of quarantine']),
  ];
}

function hostCauses(
  before: ShardView,
  after: ShardView,
  { old, now }: { old: CustomerShard; now: CustomerShard },
): string[] {
  const apart = [before, after].map(({ config }) => config.quarantineHosts ?? 0);
  const isListed = (view: ShardView): boolean => view.config.hosts !== null;
  const lost = old.hosts.filter(({ number }) => after.drained.has(number - 1)).map(({ number }) => number);
  const back = now.hosts.filter(({ number }) => before.drained.has(number - 1)).map(({ number }) => number);
  const lists =
    isListed(before) === isListed(after)
      ? []
      : [isListed(after) ? 'hosts are listed' : 'hosts are not listed any more'];
  return [
    ...(old.totalHosts === now.totalHosts ? [] : [`total hosts ${old.totalHosts} -> ${now.totalHosts}`]),
    ...(apart[0] === apart[1] ? [] : [`quarantine_hosts ${apart[0]} -> ${apart[1]}`]),
    ...lists,
    ...(lost.length > 0 ? [`drained or vacant: ${lost.join(', ')}`] : []),
    ...(back.length > 0 ? [`in use again: ${back.join(', ')}`] : []),
    ...(lists.length > 0 ? [] : replaced(after, old)),
  ];
}

const replacedListed = 4;

/** Hosts of its shard that are another machine now. */
function replaced(after: ShardView, { hosts }: CustomerShard): string[] {
  const changed = hosts.filter(({ number, host }) => {
    const now = after.config.hosts?.[number - 1];
    return host !== null && now !== undefined && now !== '' && now !== host;
  });
  const some = changed.slice(0, replacedListed).map(({ number, host }) => {
    return `host ${number} ${host ?? ''} -> ${after.config.hosts?.[number - 1] ?? ''}`;
  });
  return changed.length > some.length ? [...some, `${changed.length - some.length} more addresses`] : some;
}
