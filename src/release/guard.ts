import { namedCustomers, type ShardConfig } from '../config/config.ts';
import { cut, exactPercent, printable } from '../config/words.ts';

/** Fractions (0.5: half) above which a commit is held; 1 turns a guard off. */
export interface GuardLimits {
  readonly customers: number;
  readonly hosts: number;
}

/**
 * Why `next` removes more of `live` than one commit may, with the numbers; null when it doesn't. Guards against half a file
 * lost in a merge, which is still valid YAML.
 */
export function findShrink(live: ShardConfig, next: ShardConfig, limits: GuardLimits): string | null {
  return shrunkCustomers(live, next, limits.customers) ?? shrunkHosts(live, next, limits.hosts);
}

function shrunkCustomers(live: ShardConfig, next: ShardConfig, limit: number): string | null {
  const [named, stay] = [namedCustomers(live), namedCustomers(next)];
  const before = named.size;
  const enough = before * (1 - limit);
  let kept = 0;
  for (const id of named.keys()) {
    // Only if needed: 100,000 customers take up to 20 ms.
    if (kept >= enough) return null;
    if (stay.has(id)) kept++;
  }
  const gone = before - kept;
  if (before === 0 || gone / before <= limit) return null;
  const names = named.keys().filter((id) => !stay.has(id));
  return `it removes ${gone} of ${before} customers, more than ${exactPercent(limit)}: ${list(names, gone)}`;
}

function shrunkHosts(live: ShardConfig, next: ShardConfig, limit: number): string | null {
  const before = live.totalHosts;
  const after = next.totalHosts;
  if ((before - after) / before <= limit) return null;
  const words = `it shrinks total_hosts from ${before} to ${after}, by more than ${exactPercent(limit)}`;
  if (live.hosts === null || next.hosts === null) return words;
  const kept = new Set(next.hosts);
  const gone = live.hosts.filter((host) => host !== '' && !kept.has(host));
  return gone.length === 0 ? words : `${words}, without ${list(gone.values(), gone.length)}`;
}

const namesListed = 5;
const maxLength = 60;

/** Some of `total` names, and how many more there are. */
function list(names: IteratorObject<string>, total: number): string {
  const some = names.take(namesListed).map((name) => cut(printable(name), maxLength));
  return [...some].join(', ') + (total > namesListed ? ` and ${total - namesListed} more` : '');
}
