import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { pause } from './ending.ts';
import { DemoError } from './error.ts';

const run = promisify(execFile);
const patienceMs = 15_000;

/** What curl gets for one customer. */
export interface Headers extends Omit<Answer, 'status'> {
  /** The header lines as received. */
  readonly lines: readonly string[];
}

/** Sends a request with curl, as the user could. */
export async function readHeaders(url: string, customer: string): Promise<Headers> {
  const { stdout } = await run('curl', ['-si', '--max-time', '10', '-H', `x-customer-id: ${customer}`, url]);
  const lines = stdout.split(/\r?\n/).filter((line) => line.startsWith('x-shard-'));
  const get = (name: string): string =>
    lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? '(none)';
  return {
    assignment: get('x-shard-assignment'),
    config: get('x-shard-config'),
    version: get('x-shard-version'),
    lines,
  };
}

/** The lines that a command prints. */
export async function readLines(command: string, args: readonly string[], cwd: string): Promise<string[]> {
  const { stdout } = await run(command, args, { cwd, timeout: patienceMs });
  return stdout.trimEnd().split('\n');
}

/** The same command for the user's shell. */
export function curlLine(url: string, customer: string): string {
  return `curl -si -H 'x-customer-id: ${customer}' ${url} | grep ^x-shard`;
}

/** Sends requests to different paths and counts the answers by backend; any status but 200 counts as `HTTP <status>`. */
export async function countTraffic(url: string, customers: readonly string[]): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const [index, customer] of customers.entries()) {
    const response = await fetch(`${url}path/${index}`, { headers: { 'x-customer-id': customer } });
    const body = await response.text();
    const by = response.ok ? String((JSON.parse(body) as { backend: number }).backend) : `HTTP ${response.status}`;
    counts.set(by, (counts.get(by) ?? 0) + 1);
  }
  return new Map([...counts].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })));
}

/** One of Envoy's statistics, by its admin interface: `runtime.version_text` is what it runs. */
export async function readStat(adminSocket: string, name: string): Promise<string> {
  const url = `http://admin/stats?filter=%5E${name}%24`;
  const { stdout } = await run('curl', ['-s', '--max-time', '10', '--unix-socket', adminSocket, url]);
  return /: "?([^"\n]*)/.exec(stdout)?.[1] ?? stdout.trim();
}

/** What a customer gets of an Envoy. */
export interface Answer {
  readonly status: number;
  readonly assignment: string;
  readonly config: string;
  /** The first 12 digits of the commit's SHA. */
  readonly version: string;
}

/** Sends one request; rejects when no answer comes. */
export async function ask(url: string, customer: string, path = ''): Promise<Answer> {
  const signal = AbortSignal.timeout(patienceMs);
  const response = await fetch(url + path, { headers: { 'x-customer-id': customer }, signal });
  await response.arrayBuffer();
  const get = (name: string): string => response.headers.get(`x-shard-${name}`) ?? '(none)';
  return { status: response.status, assignment: get('assignment'), config: get('config'), version: get('version') };
}

/** The part of `shardplane status --json` that is needed here. */
export interface Status {
  readonly live: { readonly version: string } | null;
  readonly head: { readonly version: string; readonly outcome: string } | null;
  readonly nodes: readonly StatusNode[];
}

interface StatusNode {
  readonly id: string;
  readonly version: string | null;
  readonly state: string;
  readonly load: { readonly requests: number } | null;
}

/** Asks the daemon at its HTTP port. Rejects while it doesn't answer. */
export async function readStatus(url: string): Promise<Status> {
  const response = await fetch(`${url}/api/v1/status`, { signal: AbortSignal.timeout(patienceMs) });
  return (await response.json()) as Status;
}

/** Polls `shardplane status --json` until an Envoy has acknowledged that version; returns the Envoy's id. */
export async function awaitAck(shardplane: string, cwd: string, version: string): Promise<string> {
  return await until('no Envoy has acknowledged the commit', async () => {
    const { stdout } = await run(shardplane, ['status', '--json'], { cwd });
    const { live, nodes } = JSON.parse(stdout) as Status;
    if (live?.version !== version) return null;
    return nodes.find((node) => node.version === version && node.state === 'acked')?.id ?? null;
  });
}

/** Polls until `probe` returns something; throws DemoError with `what` after 15 s, or `timeoutMs`. */
export async function until<T>(
  what: string | (() => string),
  probe: () => Promise<T | null>,
  timeoutMs = patienceMs,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const seen = await probe().catch(() => null);
    if (seen !== null) return seen;
    if (Date.now() > deadline)
      throw new DemoError(
        `${typeof what === 'string' ? what : what()} in ${timeoutMs / 1000} s`,
        'run it again when the machine is less busy',
      );
    await pause(100);
  }
}
