/** A git host's response. */
export interface HostAnswer {
  readonly status: number;
  readonly header: (name: string) => string | null;
  /** The beginning of the body. */
  readonly body: string;
}

/** What to do next. `waitMs`: send nothing for this long; null: back off as after a failure. */
export type Delivery =
  | { readonly kind: 'accepted' }
  /** A retry would be refused, too. */
  | { readonly kind: 'refused'; readonly words: string }
  /** Rate limited. */
  | { readonly kind: 'limited'; readonly waitMs: number | null; readonly words: string }
  | { readonly kind: 'failed'; readonly words: string };

/** GitHub asks for at least a minute where a response names no time (docs.github.com, "rate limit errors"). */
const unspecifiedLimitMs = 60_000;
/** The longest wait, whatever the host asks for. */
const longestLimitMs = 60 * 60_000;

/** Classifies a response. `now`: milliseconds since the epoch. */
export function toDelivery(answer: HostAnswer, now: number): Delivery {
  const { status } = answer;
  if (status >= 200 && status < 300) return { kind: 'accepted' };
  const words = `it answered ${status}${quote(answer.body)}`;
  if (isLimit(answer)) return { kind: 'limited', waitMs: limitMs(answer, now), words };
  // GitLab, when the commit has this status already: "Cannot transition status via :enqueue from :pending".
  if (status === 400 && /cannot transition status/i.test(answer.body)) return { kind: 'accepted' };
  if (status === 400 || status === 422) return { kind: 'refused', words };
  if (status === 401 || status === 403)
    return { kind: 'failed', words: `${words}; is the token valid, and may it set commit statuses?` };
  if (status === 404)
    return { kind: 'failed', words: `${words}; is the url right, the commit pushed, and the token allowed to see it?` };
  if (status >= 300 && status < 400)
    return { kind: 'failed', words: `${words}; the repository has moved: set the new url` };
  return { kind: 'failed', words };
}

function isLimit({ status, header, body }: HostAnswer): boolean {
  if (status === 429) return true;
  return (
    status === 403 &&
    (header('retry-after') !== null || header('x-ratelimit-remaining') === '0' || /rate limit/i.test(body))
  );
}

/** Retry-After (seconds or a date), else the reset that GitHub and GitLab name (seconds since the epoch). */
function limitMs({ header }: HostAnswer, now: number): number {
  const after = header('retry-after');
  const reset = header('x-ratelimit-reset') ?? header('ratelimit-reset');
  const ms = after !== null ? retryAfterMs(after, now) : reset !== null ? Number(reset) * 1000 - now : NaN;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 1000), longestLimitMs) : unspecifiedLimitMs;
}

function retryAfterMs(value: string, now: number): number {
  return /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now;
}

function quote(body: string): string {
  const text = body.replaceAll(/\s+/g, ' ').trim();
  return text === '' ? '' : `: ${text.length > 200 ? `${text.slice(0, 200)}…` : text}`;
}
