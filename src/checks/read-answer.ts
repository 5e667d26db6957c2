import { printable, valueKind } from '../config/words.ts';

/** What came of a query. */
export type QueryResult = { readonly value: number } | { readonly error: string };

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** There was more of it. */
  readonly isCut: boolean;
}

const quotedAtMost = 300;
const number = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

/** The one finite number that a query's answer holds, else what is wrong with it. Prometheus: "HTTP API", instant queries. */
export function readAnswer({ status, text, isCut }: Answer): QueryResult {
  if (status >= 300 && status < 400)
    return { error: `it answered ${status}, which leads elsewhere and is not followed: set the url that it leads to` };
  if (isCut) return { error: 'its answer has more than 64 KiB: the query must give one number, as sum(...) does' };
  const body = parse(text);
  if (!isRecord(body) || body['status'] !== 'success') return { error: refusal(status, body, text) };
  return isRecord(body['data']) ? readData(body['data']) : { error: 'it answered success without data' };
}

/** Its own words where it has some. */
function refusal(status: number, body: unknown, text: string): string {
  if (isRecord(body) && body['status'] === 'error')
    return `it answered ${status}: ${cut([body['errorType'], body['error']].filter((part) => typeof part === 'string').join(': '))}`;
  const quoted = cut(text);
  return `it answered ${status} and not as Prometheus does${quoted === '' ? '' : `: ${quoted}`}`;
}

function readData({ resultType, result }: Record<string, unknown>): QueryResult {
  if (resultType === 'scalar') return readSample(result);
  if (resultType !== 'vector' || !Array.isArray(result))
    return { error: `the query gives ${kindOf(resultType)}, not one number` };
  const [first, ...others] = result as unknown[];
  if (first === undefined) return { error: 'the query gives nothing: no series matches' };
  if (others.length > 0)
    return { error: `the query gives ${result.length} numbers, not one: put sum(...) or max(...) around it` };
  return readSample(isRecord(first) ? first['value'] : undefined);
}

function readSample(sample: unknown): QueryResult {
  const text: unknown = Array.isArray(sample) ? sample[1] : undefined;
  if (typeof text !== 'string') return { error: `the query gives ${valueKind(sample)}, not one number` };
  if (number.test(text) && Number.isFinite(Number(text))) return { value: Number(text) };
  if (text === 'NaN') return { error: 'the query gives NaN: is it a share of no requests?' };
  return { error: `the query gives ${cut(text)}, not a finite number` };
}

function kindOf(resultType: unknown): string {
  return typeof resultType === 'string' ? `a ${cut(resultType)}` : 'no result';
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function cut(text: string): string {
  const line = printable(text.replaceAll(/\s+/g, ' ').trim());
  return line.length <= quotedAtMost ? line : `${line.slice(0, quotedAtMost).toWellFormed()}…`;
}
