import { printable } from '../config/words.ts';
import { readStart, whyFailed } from '../response.ts';
import type { PrometheusCheck } from '../rollout/plan.ts';
import { fillQuery, type QuerySubject } from './fill-query.ts';
import { readAnswer, type QueryResult } from './read-answer.ts';
import type { Finding } from './finding.ts';

const answerBytes = 64 * 1024;

/** Asks a Prometheus for the check's number, within its time limit. Never rejects, not even when `signal` aborts. */
export async function queryPrometheus(
  check: PrometheusCheck,
  subject: QuerySubject,
  signal: AbortSignal,
): Promise<QueryResult> {
  const late = AbortSignal.timeout(check.timeoutMs);
  try {
    return await ask(check, fillQuery(check.query, subject), AbortSignal.any([signal, late]));
  } catch (error) {
    if (late.aborted) return { error: `no answer within ${check.timeoutMs / 1000} s` };
    return { error: printable(whyFailed(error)) };
  }
}

async function ask({ url, timeoutMs }: PrometheusCheck, query: string, signal: AbortSignal): Promise<QueryResult> {
  // a POST: a query that names many nodes is too long for a URL
  const body = new URLSearchParams({ query, timeout: `${timeoutMs}ms` });
  const response = await fetch(toAddress(url), { method: 'POST', body, redirect: 'manual', signal });
  return readAnswer({ status: response.status, ...(await readStart(response, answerBytes)) });
}

function toAddress(url: string): URL {
  const address = new URL(url);
  address.pathname = `${address.pathname.replace(/\/+$/, '')}/api/v1/query`;
  return address;
}

/** Fails a value above the check's `max` or below its `min`. */
export function judgeValue({ min, max }: Pick<PrometheusCheck, 'min' | 'max'>, value: number): Finding {
  if (max !== null && value > max) return { verdict: 'fail', message: `${value}, above the max of ${max}` };
  if (min !== null && value < min) return { verdict: 'fail', message: `${value}, below the min of ${min}` };
  const limits = [min !== null && `min ${min}`, max !== null && `max ${max}`].filter((limit) => limit !== false);
  return { verdict: 'pass', message: `${value} (${limits.join(', ')})` };
}
