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
  readonly sizeOf: (customer: string) => number | null;
}

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
  const current = readView((name) => shown.get(`shuffle_sharding.${name}`), readSizes(shown, '', 1));
  if (!has) return { current, next: null, cutover: 0, first: [] };
  const get = (name: string) => shown.get(`shuffle_sharding.next.${name}`) ?? shown.get(`shuffle_sharding.${name}`);
  const own = readSizes(shown, 'next.', 0);
  const sizeOf = (customer: string) => {
    const size = own(customer);
    return size === 0 ? null : (size ?? current.sizeOf(customer));
  };
  const next = readView(get, sizeOf);
  const hosts = get('hosts');
  must(hosts === undefined || (current.hasHosts && hosts.split(',').length >= Number(get('total_hosts'))));
  const first = shown.get('shuffle_sharding.next.first') ?? '';
  must(isList(first));
  const cutover = shown.get('shuffle_sharding.next.cutover');
  if (cutover !== undefined) must(isCount(cutover, 0, 10_000));
  return { current, next, cutover: Number(cutover ?? 0), first: first.split(',') };
}

function readView(get: (name: string) => string | undefined, sizeOf: View['sizeOf']): View {
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
  must(drained.length < most);
  return {
    hasHosts: addresses !== undefined,
    total: most,
    size: Number(size ?? 2),
    drained,
    version: version === undefined ? 'fallback' : version.slice(0, 12),
    sizeOf,
  };
}

const slotsIn = (text: string) => text.split(',').filter((slot) => slot !== '');
const isList = (text: string) => text === '' || (text.startsWith(',') && text.endsWith(','));
const isCount = (text: string, least: number, most: number) =>
  /^[0-9]{1,5}$/.test(text) && Number(text) >= least && Number(text) <= most;

/** Of a list that is so short, or so much the same all over, that the filter's sample sees all there is. */
function isSorted(text: string, least: number): boolean {
  if (!isList(text)) return false;
  const entries = text.length < 2 ? [] : text.slice(1, -1).split(',');
  const ids = entries.map((entry) => entry.split('=', 1).join());
  return (
    entries.every((entry, i) => entry.includes('=') && isCount(entry.slice(ids[i]!.length + 1), least, 1024)) &&
    ids.every((id, i) => i === 0 || Buffer.compare(Buffer.from(ids[i - 1]!), Buffer.from(id)) <= 0)
  );
}

/** A key for a customer comes before the packed list; one that is no size makes the layer unusable. */
function readSizes(shown: Shown, view: string, least: number): View['sizeOf'] {
  const [prefix, suffix] = [`shuffle_sharding.${view}customer.`, '.shard_size'];
  const sizes = new Map<string, number>();
  for (const [key, value] of shown) {
    if (!key.startsWith(prefix) || !key.endsWith(suffix) || key.length < prefix.length + suffix.length) continue;
    must(isCount(value, least, 1024));
    sizes.set(key.slice(prefix.length, -suffix.length), Number(value));
  }
  const packed = shown.get(`shuffle_sharding.${view}sizes`);
  if (packed !== undefined) must(isSorted(packed, least));
  const listed = new Map((packed ?? '').split(',').map((entry) => [entry.split('=')[0], entry.split('=')[1]]));
  return (customer) => {
    const size = listed.get(customer);
    return sizes.get(customer) ?? (size !== undefined && isCount(size, least, 1024) ? Number(size) : null);
  };
}

/** The three headers that a customer gets. Its id is one that needs no encoding. */
export function expectedHeaders({ current, next, cutover, first }: Views, customer: string): string[] {
  const view = next && (referenceCutover(customer) < cutover || first.includes(customer)) ? next : current;
  const { total, size, drained, version } = view;
  const most = Math.min(view.sizeOf(customer) ?? size, total - drained.length);
  const slots = referenceShard(customer, total, most, drained).map((slot) => slot + 1);
  return [`[${slots.join()}]`, `${most}/${total}`, version];
}
