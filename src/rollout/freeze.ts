import { Cron } from 'croner';
import type { FreezeWindow, Frozen } from './plan.ts';

/** `until`: when the last of the windows ends that overlap or follow without a gap. `reason`: of the first in the list that is open now. */
type Window = Frozen & { readonly until: number };

/** Of the windows, the one that opened last (a `cron` has many), and when the next one opens; milliseconds. */
interface Span {
  readonly start: number;
  readonly end: number;
  readonly next: number;
}

type SpanAt = (at: number) => Span;

/**
 * How many openings are looked for to find `until`, some 30 ms of them: `* * * * *` never ends. Beyond that `until` is too early, and
 * who asks again at that time is told the next one.
 */
const maxFollowed = 500;

/**
 * Compiles the windows to a function that says whether a time (milliseconds) is in one of them. It may be asked with every event: it
 * computes anew only when a window opens or closes.
 */
export function createFreeze(windows: readonly FreezeWindow[]): (at: number) => Window | null {
  let found = 0;
  const compiled = windows.map((window) => ({
    reason: window.reason,
    spanAt: remember(toSpans(window), () => (found += 1)),
  }));
  const endOf = (at: number): number => {
    found = 0;
    let end = at;
    for (;;) {
      const later = Math.max(...compiled.map(({ spanAt }) => spanAt(end).end));
      if (later <= end || found > maxFollowed) return Math.max(later, end);
      end = later;
    }
  };
  let known = { from: 0, until: 0 };
  return (at) => {
    const open = compiled.find(({ spanAt }) => at < spanAt(at).end);
    if (open === undefined) return null;
    if (at < known.from || at >= known.until) known = { from: at, until: endOf(at) };
    return { until: known.until, reason: open.reason };
  };
}

/** Asks again only outside of the span that it was told last. */
function remember(spanAt: SpanAt, onAsk: () => void): SpanAt {
  let span: Span = { start: Infinity, end: Infinity, next: Infinity };
  return (at) => {
    if (at >= span.start && at < span.next) return span;
    onAsk();
    span = spanAt(at);
    return span;
  };
}

function toSpans(window: FreezeWindow): SpanAt {
  if (window.type === 'cron') return cronSpans(readCron(window.cron, window.zone), window.forMs);
  const from = instantOf(window.from, window.zone) ?? Infinity;
  const end = instantOf(window.to, window.zone) ?? Infinity;
  return (at) => (at < from ? notYet(from) : { start: from, end, next: Infinity });
}

function cronSpans(cron: Cron, forMs: number): SpanAt {
  return (at) => {
    // the library looks for runs before a time, and after one
    const start = cron.previousRuns(1, new Date(at + 1))[0]?.getTime();
    const next = cron.nextRun(new Date(at))?.getTime() ?? Infinity;
    return start === undefined ? notYet(next) : { start, end: start + forMs, next };
  };
}

function notYet(next: number): Span {
  return { start: -Infinity, end: -Infinity, next };
}

/**
 * A cron expression of five fields in a zone. Where the clock goes forward, a time of day that is skipped is the moment of the change;
 * where it goes back, one that comes twice is the first of the two. With `*` or a step in minute or hour, it is what the clock
 * shows: nothing in the hour that is skipped, and both in the one that comes twice. Throws Error, which says why.
 */
export function readCron(cron: string, zone: string): Cron {
  return new Cron(cron, { timezone: zone, mode: '5-part', fixedTimeRule: 'no-wildcard' });
}

/**
 * The moment (milliseconds) of a local date and time as in `2026-12-24T00:00`, or null where it is none (30 February). A time
 * that is skipped is the moment when the clock goes forward; of two, it is the first.
 */
export function instantOf(local: string, zone: string): number | null {
  const [, year, month, day, hour, minute, second = '0'] =
    /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d))?$/.exec(local) ?? [];
  if (year === undefined) return null;
  const before = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day) - 2));
  try {
    const moment = new Cron(`${second} ${minute} ${hour} ${day} ${month} * ${year}`, {
      timezone: zone,
      mode: '7-part',
    });
    return moment.nextRun(before)?.getTime() ?? null;
  } catch {
    return null;
  }
}
