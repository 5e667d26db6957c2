import type { HistoryQuery, LivesQuery } from '../ledger/store.ts';

/** Reads a history query from a URL: `limit`, `before`, `outcome`, `since` (a time), `customer`. Ignores what it doesn't understand. */
export function toHistoryQuery(query: URLSearchParams): HistoryQuery {
  const since = query.get('since');
  return {
    limit: toNumber(query.get('limit')) ?? 20,
    before: toNumber(query.get('before')),
    outcome: (query.get('outcome') ?? undefined) as HistoryQuery['outcome'],
    since: since === null ? undefined : Date.parse(since) || undefined,
    customer: query.get('customer') ?? undefined,
  };
}

/** The same of what was live: `limit`, `before`, `until` (a time). */
export function toLivesQuery(query: URLSearchParams): LivesQuery {
  const until = query.get('until');
  return {
    limit: toNumber(query.get('limit')) ?? 20,
    before: toNumber(query.get('before')),
    until: until === null ? undefined : Date.parse(until) || undefined,
  };
}

function toNumber(text: string | null): number | undefined {
  return text === null || !/^[0-9]{1,15}$/.test(text) ? undefined : Number(text);
}
