import { setTimeout as sleep } from 'node:timers/promises';
import type { Encoding } from '../../../src/release/packed.ts';
import { memoryMb } from '../proc.ts';
import { median } from '../statistics.ts';
import { customerName, type Contender } from './contender.ts';
import { cpuUs } from './cpu.ts';
import { drive, pace, type RequestOf, type Timing } from './load.ts';

/** Envoy's CPU time for a request, in µs. */
export interface Cost {
  readonly kind: string;
  readonly us: number;
  /** The median difference to the first contender in the same round. */
  readonly above: number;
}

const mixed =
  (customers: number): RequestOf =>
  (index) => ({ customer: customerName((index * 7919) % customers), path: `/p/${index % 50}` });

/** In each round every contender gets the same number of requests, in random order, so that conditions are the same for all. */
export async function measureCost(
  contenders: readonly Contender[],
  { rounds, count }: { rounds: number; count: number },
): Promise<Cost[]> {
  const request = mixed(3);
  for (const { port } of contenders) await drive(port, { count, connections: 8, request });
  const used = new Map<Contender, number[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round < rounds; round++)
    for (const contender of shuffled(contenders)) {
      const before = cpuUs(contender.envoy.pid);
      await drive(contender.port, { count, connections: 8, request });
      used.get(contender)?.push((cpuUs(contender.envoy.pid) - before) / count);
    }
  const [base = []] = used.values();
  return [...used].map(([{ kind }, all]) => ({
    kind,
    us: median(all),
    above: median(all.map((us, round) => us - (base[round] ?? NaN))),
  }));
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** Latencies at a fixed rate, in ms. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly slowest: number;
}

/** Latencies while releases arrive, and how soon requests see these. */
export interface Change extends Latency {
  readonly kind: string;
  readonly customers: number;
  readonly encoding: Encoding;
  /** From the push to the ACK, and to the first answer with the new values: medians in ms. */
  readonly ackMs: number;
  readonly seenMs: number;
  readonly rssMb: number;
  readonly failed: number;
  /** The same before any change. */
  readonly atRest: Latency;
}

export interface ChangeOptions {
  readonly customers: number;
  readonly encoding: Encoding;
  readonly rate: number;
  readonly changes: number;
}

const changeMs = 2_000;

export async function measureChange(contender: Contender, options: ChangeOptions): Promise<Change> {
  const { customers, encoding, rate, changes } = options;
  const request = mixed(customers);
  await contender.push(contender.prepare(customers, encoding));
  const releases = Array.from({ length: changes }, () => contender.prepare(customers, encoding));
  await sleep(500);
  const load = { rate, connections: 16, request };
  await drive(contender.port, { count: 500, connections: 4, request });
  const rest = await pace(contender.port, { ...load, isOver: (elapsed) => elapsed > changeMs });
  const acks: number[] = [];
  const pushedAt: number[] = [];
  let next: Promise<void> = Promise.resolve();
  const isOver = (elapsed: number): boolean => {
    const release = releases[pushedAt.length];
    if (release !== undefined && elapsed > 500 + pushedAt.length * changeMs) {
      pushedAt.push(elapsed);
      next = next.then(async () => void acks.push(await contender.push(release)));
    }
    return elapsed > 500 + changes * changeMs;
  };
  const { timings, failed } = await pace(contender.port, { ...load, isOver });
  await next;
  return {
    kind: contender.kind,
    customers,
    encoding,
    ...latency(timings),
    ackMs: median(acks),
    seenMs: median(seenAfter(timings, pushedAt)),
    rssMb: memoryMb(contender.envoy.pid).now,
    failed: failed + rest.failed,
    atRest: latency(rest.timings),
  };
}

function latency(timings: readonly Timing[]): Latency {
  const sorted = timings.map(({ took }) => took).sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
  return { p50: at(0.5), p99: at(0.99), slowest: at(1) };
}

/** The time from each push to the first answer with a new version. */
function seenAfter(timings: readonly Timing[], pushedAt: readonly number[]): number[] {
  const known = new Set<string>();
  const firsts: number[] = [];
  for (const { version, at, took } of timings.toSorted((a, b) => a.at + a.took - b.at - b.took)) {
    if (!known.has(version) && known.size > 0) firsts.push(at + took);
    known.add(version);
  }
  return firsts.map((ms, i) => ms - (pushedAt[i] ?? NaN));
}
