import type { Fault, Path } from '../config/fault.ts';
import { nearest } from '../config/nearest.ts';
import { show } from '../config/words.ts';
import { toMilliseconds } from './duration.ts';
import { durationFaults, fault } from './fault.ts';
import type { PrometheusFile } from './to-rollout.ts';

/** What a query may hold in double braces. */
const variables = ['version', 'nodes'];

/** What a JSON Schema can't say of the Prometheus checks. */
export function* checkFaults(checks: readonly PrometheusFile[]): Generator<Fault> {
  for (const [i, check] of checks.entries()) {
    const path = ['rollout', 'checks', 'prometheus', String(i)];
    yield* nameFaults([...path, 'name'], check.name, checks.slice(0, i));
    const url = whyNoUrl(check.url);
    if (url !== null) yield fault([...path, 'url'], `${path.join('.')}.url ${url.message}`, url.hint);
    yield* queryFaults([...path, 'query'], check.query);
    yield* limitFaults(path, check);
    yield* timeFaults(path, check);
  }
}

function* nameFaults(path: Path, name: string, before: readonly PrometheusFile[]): Generator<Fault> {
  if (name === 'errors')
    yield fault(path, `${path.join('.')}: errors is the check of load reports`, 'choose another name');
  if (before.some((check) => check.name === name))
    yield fault(path, `${path.join('.')}: ${show(name)} is given twice`, 'each check has a name of its own');
}

/** The URL itself is not told: there may be a password in it. */
function whyNoUrl(text: string): { message: string; hint: string } | null {
  const hint = 'as in http://prometheus:9090';
  const url = URL.parse(text);
  if (url === null) return { message: 'is no URL', hint };
  if (!['http:', 'https:'].includes(url.protocol)) return { message: 'is no http:// or https:// URL', hint };
  if (url.username !== '' || url.password !== '')
    return {
      message: 'has a user or a password in it, which others would see in logs',
      hint: 'take them out; a proxy before Prometheus can add them, or let this machine ask without',
    };
  if (url.search !== '' || url.hash !== '')
    return { message: 'has a part from ? or # on', hint: `the base URL alone, ${hint}; what is asked goes to query` };
  return null;
}

function* queryFaults(path: Path, query: string): Generator<Fault> {
  for (const [braced, name = ''] of query.matchAll(/\{\{([^{}]*)\}\}/g)) {
    if (variables.includes(name.trim())) continue;
    const guess = nearest(name.trim(), variables);
    const hint = guess === null ? 'there are {{version}} and {{nodes}}' : `did you mean {{${guess}}}?`;
    yield fault(path, `${path.join('.')}: nothing is known as ${show(braced)}`, hint);
  }
}

function* limitFaults(path: Path, { max, min }: PrometheusFile): Generator<Fault> {
  if (max === undefined && min === undefined)
    yield fault(path, `${path.join('.')} has neither max nor min, and would never fail`, 'set one of them, or both');
  if (max !== undefined && min !== undefined && min > max)
    yield fault([...path, 'min'], `${path.join('.')}.min: ${min} is more than max, ${max}`, 'it would always fail');
}

function* timeFaults(path: Path, { every, timeout }: PrometheusFile): Generator<Fault> {
  const own = [
    ...durationFaults([...path, 'every'], every, '1s', '1h'),
    ...durationFaults([...path, 'timeout'], timeout, '100ms', '1m'),
  ];
  yield* own;
  if (own.length === 0 && toMilliseconds(timeout) > toMilliseconds(every))
    yield fault(
      [...path, 'timeout'],
      `${path.join('.')}.timeout: ${timeout} is longer than every, ${every}`,
      'one question ends before the next is asked',
    );
}
