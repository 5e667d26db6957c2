import type { Order } from './api.ts';
import { HttpError } from './http-error.ts';

/** Commands about rollouts as a whole. */
export const verbs = ['pause', 'resume', 'promote', 'abort', 'freeze', 'unfreeze'] as const;

/** The longest reason, in characters. */
export const maxWhy = 500;
/** Nobody means a longer freeze. */
const longestFreezeMs = 366 * 86_400_000;

interface Given {
  readonly by: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The order that a request's body means. Throws HttpError. */
export function toOrder(verb: Order['verb'], body: Readonly<Record<string, unknown>>, { by, now }: Given): Order {
  const { why = '', all = false, until = null } = body;
  if (typeof why !== 'string') throw new HttpError(400, 'why', 'why: a text');
  const common = { by, why: toOneLine(why, maxWhy) };
  switch (verb) {
    case 'promote':
      if (typeof all !== 'boolean') throw new HttpError(400, 'all', 'all: true or false');
      return { ...common, verb, all };
    case 'freeze':
      return { ...common, verb, until: until === null ? null : toEnd(until, now) };
    default:
      return { ...common, verb };
  }
}

function toEnd(until: unknown, now: number): number {
  const end =
    typeof until === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(until) ? Date.parse(until) : NaN;
  if (Number.isNaN(end))
    throw new HttpError(400, 'until', 'until: an RFC 3339 time with its zone, as 2026-12-27T00:00:00Z, or null');
  if (end <= now) throw new HttpError(400, 'until', `until: ${new Date(end).toISOString()} is over already`);
  if (end - now > longestFreezeMs) throw new HttpError(400, 'until', 'until: a year from now at most');
  return end;
}

/** Text of a caller as one line: nothing that moves a cursor or reorders text, cut at `length` characters. */
export function toOneLine(text: string, length: number): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return line.slice(0, length).toWellFormed().trimEnd();
}
