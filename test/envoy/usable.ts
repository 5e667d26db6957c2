import { referenceCutover, referenceShard } from '../shard/reference.ts';

/**
 * What docs/envoy.md says a worker makes of the runtime, written down a second time and another way: from what the admin's
 * /runtime shows to what a customer gets. It shares no line with envoy/src/.
 */
export interface View {
  readonly hasHosts: boolean;
  readonly total: number;
  readonly size: number;
  readonly drained: readonly number[];
  readonly version: string;
  /** How many of the last slots are set apart. */
  readonly apart: number;
  readonly own: Own;
}

/** What a customer has of its own, by kind. */
interface Own {
  readonly sizeOf: Lookup;
  readonly dealOf: Lookup;
  readonly quarantineOf: Lookup;
}

type Lookup = (customer: string) => number | null;

/** Both views, or null when something in the layer can't be used after good values. */
export interface Views {
  readonly current: View;
  readonly next: View | null;
  readonly cutover: number;
  readonly first: readonly string[];
}

export type Shown = ReadonlyMap<string, string>;

export function usableViews(shown: Shown, last: Views | null): Views | null {
  try {
    const views = readViews(shown);
    must(views.current.hasHosts || last?.current.hasHosts !== true);
    return views;
  } catch (error) {
    if (error instanceof Unusable) return null;
    throw error;
  }
}

class Unusable extends Error {}

function must(holds: boolean): void {
  if (!holds) throw new Unusable();
}

function readViews(shown: Shown): Views {
  const has = [...shown.keys()].some((key) => key.startsWith('shuffle_sharding.next.'));
  must(shown.has('shuffle_sharding.total_hosts'));
  const current = readView((name) => shown.get(`shuffle_sharding.${name}`), readOwn(shown, '', 1));
  if (!has) return { current, next: null, cutover: 0, first: [] };
  const get = (name: string) => shown.get(`shuffle_sharding.next.${name}`) ?? shown.get(`shuffle_sharding.${name}`);
  const own = readOwn(shown, 'next.', 0);
  const next = readView(get, {
    sizeOf: over(own.sizeOf, current.own.sizeOf),
    dealOf: over(own.dealOf, current.own.dealOf),
    quarantineOf: over(own.quarantineOf, current.own.quarantineOf),
  });
  const hosts = get('hosts');
  must(hosts === undefined || (current.hasHosts && hosts.split(',').length >= Number(get('total_hosts'))));
  const first = shown.get('shuffle_sharding.next.first') ?? '';
  must(isList(first));
  const cutover = shown.get('shuffle_sharding.next.cutover');
  if (cutover !== undefined) must(isCount(cutover, 0, 10_000));
  return { current, next, cutover: Number(cutover ?? 0), first: first.split(',') };
}

/** 0 takes back what lies beneath. */
function over(own: Lookup, beneath: Lookup): Lookup {
  return (customer) => {
    const value = own(customer);
    return value === 0 ? null : (value ?? beneath(customer));
  };
}

function readView(get: (name: string) => string | undefined, own: Own): View {
  const [total, size, hosts, drain, version] = ['total_hosts', 'default_shard_size', 'hosts', 'drain', 'version'].map(
    get,
  );
  if (total !== undefined) must(isCount(total, 1, 4096));
  if (size !== undefined) must(isCount(size, 1, 1024));
  if (version !== undefined) must(/^[A-Za-z0-9._-]+$/.test(Buffer.from(version).subarray(0, 12).toString('latin1')));
  const addresses = hosts?.split(',').map((host) => host.replace(/^[\t-\r ]+/, ''));
  if (addresses) {
    must(addresses.length <= 4096 && addresses.some((host) => host !== '') && hosts!.length <= 64 * 4096);
    must(addresses.every((host) => host === '' || (host.length <= 64 && /^[A-Za-z0-9.:[\]-]+:[0-9]+$/.test(host))));
  }
  if (drain !== undefined && drain !== '') {
    must(/^,([0-9,]*,)?$/.test(drain) && drain.length <= 6 * 4096);
    must(slotsIn(drain).every((slot) => isCount(slot, 0, 4095)));
  }
  const most = Math.min(Number(total ?? 8), addresses?.length ?? Infinity);
  const vacant = (addresses ?? []).flatMap((host, slot) => (host === '' ? [slot] : []));
  const drained = [...new Set([...slotsIn(drain ?? '').map(Number), ...vacant])].filter((slot) => slot < most);
  const quarantine = get('quarantine_hosts') ?? '0';
  must(isCount(quarantine, 0, 4095));
  const first = most - Number(quarantine);
  must(drained.filter((slot) => slot < first).length < first);
  return {
    hasHosts: addresses !== undefined,
    total: most,
    size: Number(size ?? 2),
    drained,
    version: version === undefined ? 'fallback' : version.slice(0, 12),
    apart: Number(quarantine),
    own,
  };
}

const slotsIn = (text: string) => text.split(',').filter((slot) => slot !== '');
const isList = (text: string) => text === '' || (text.startsWith(',') && text.endsWith(','));
const isCount = (text: string, least: number, most: number) =>
  /^[0-9]{1,5}$/.test(text) && Number(text) >= least && Number(text) <= most;

/** Of a list that is so short, or so much the same all over, that the filter's sample sees all there is. */
function isSorted(text: string, least: number, most: number): boolean {
  if (!isList(text)) return false;
  const entries = text.length < 2 ? [] : text.slice(1, -1).split(',');
  const ids = entries.map((entry) => entry.split('=', 1).join());
  return (
    entries.every((entry, i) => entry.includes('=') && isCount(entry.slice(ids[i]!.length + 1), least, most)) &&
    ids.every((id, i) => i === 0 || Buffer.compare(Buffer.from(ids[i - 1]!), Buffer.from(id)) <= 0)
  );
}

function readOwn(shown: Shown, view: string, least: number): Own {
  return {
    sizeOf: readKind(shown, view, { end: 'shard_size', list: 'sizes', least, most: 1024 }),
    dealOf: readKind(shown, view, { end: 'deal', list: 'deals', least, most: 99_999 }),
    quarantineOf: readKind(shown, view, { end: 'quarantine', list: 'quarantined', least: 0, most: 1 }),
  };
}

interface Kind {
  readonly end: string;
  readonly list: string;
  readonly least: number;
  readonly most: number;
}

/** A key for a customer comes before the packed list; one that is not usable makes the layer unusable. */
function readKind(shown: Shown, view: string, { end, list, least, most }: Kind): Lookup {
  const [prefix, suffix] = [`shuffle_sharding.${view}customer.`, `.${end}`];
  const values = new Map<string, number>();
  for (const [key, written] of shown) {
    if (!key.startsWith(prefix) || !key.endsWith(suffix) || key.length < prefix.length + suffix.length) continue;
    const value = end === 'quarantine' ? written.replace(/^true$/, '1').replace(/^false$/, '0') : written;
    must(isCount(value, least, most));
    values.set(key.slice(prefix.length, -suffix.length), Number(value));
  }
  const packed = shown.get(`shuffle_sharding.${view}${list}`);
  if (packed !== undefined) must(isSorted(packed, least, most));
  const listed = new Map((packed ?? '').split(',').map((entry) => [entry.split('=')[0], entry.split('=')[1]]));
  return (customer) => {
    const value = listed.get(customer);
    return values.get(customer) ?? (value !== undefined && isCount(value, least, most) ? Number(value) : null);
  };
}

/** The three headers that a customer gets. Its id is one that needs no encoding. */
export function expectedHeaders({ current, next, cutover, first }: Views, customer: string): string[] {
  const view = next && (referenceCutover(customer) < cutover || first.includes(customer)) ? next : current;
  const { total, size, drained, version, own } = view;
  const others = total - view.apart;
  const slots = Array.from({ length: total }, (_, slot) => slot);
  const inQuarantine = view.apart > 0 && own.quarantineOf(customer) === 1;
  const pool = slots.filter((slot) => slot >= others === inQuarantine);
  const free = pool.filter((slot) => !drained.includes(slot));
  const open = inQuarantine && free.length === 0 ? pool : free;
  const most = Math.min(own.sizeOf(customer) || size, open.length);
  const deal = own.dealOf(customer) || 0;
  const closed = slots.filter((slot) => !open.includes(slot));
  const shard = referenceShard(deal > 0 ? `${customer}#${deal}` : customer, total, most, closed);
  return [`[${shard.map((slot) => slot + 1).join()}]`, `${most}/${total}`, version];
}
