import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Cause, Counts, Outcome } from '../rollout/types.ts';
import type { Fact } from '../state/facts.ts';
import type { StreamAction } from '../xds/stream/types.ts';
import { readVersion } from '../version.ts';
import { problemCodes } from './problems.ts';
import { observeRollout, type RolloutGauges } from './rollout-metrics.ts';

/** The current values for a scrape. */
export interface Gauges {
  readonly counts: Counts;
  readonly live: { readonly version: string; readonly since: number; readonly proven: boolean } | null;
  readonly head: { readonly version: string; readonly outcome: Outcome | null } | null;
  readonly backlog: number;
  readonly problems: readonly string[];
  readonly streams: number;
  readonly loadStreams: number;
  readonly pinned: number;
  /** When the last fetch of a remote succeeded, milliseconds since the epoch; null: none has, or there is no remote. */
  readonly fetchedAt: number | null;
  /** Nodes that were connected within a day, and no longer are. */
  readonly gone: number;
  readonly muted: number;
  readonly rollout: RolloutGauges;
}

const outcomes = Object.keys({ invalid: 0, live: 0, rolled_back: 0, superseded: 0, held: 0 } satisfies Record<
  Outcome,
  0
>);
const causes = Object.keys({ refused: 0, check: 0, aborted: 0 } satisfies Record<Cause['type'], 0>);
const answers = ['ack', 'nack', 'none'];
/** `failed`: an internal error ended the stream. */
const streamEvents = [
  'send_absent',
  'joined',
  'left',
  'absent_nacked',
  'stale',
  'unsupported',
  'reject',
  'kept',
  'failed',
] as const;
type StreamEventName = (typeof streamEvents)[number];

/** Metrics in the Prometheus exposition format; docs/operating.md lists them with the alerts that we suggest. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #outcomes = this.#counter('shardplane_revisions_total', 'Revisions by outcome.', ['outcome']);
  readonly #pushes = this.#counter('shardplane_pushes_total', 'Responses sent with the configured resource.', []);
  readonly #answers = this.#counter('shardplane_answers_total', 'Answers to pushes.', ['answer']);
  /** Looked up once: they count for each of thousands of nodes. */
  readonly #acks = this.#answers.labels('ack');
  readonly #nacks = this.#answers.labels('nack');
  readonly #streamEvents = this.#counter('shardplane_xds_events_total', 'Other events on xDS streams.', ['event']);
  readonly #rollbacks = this.#counter('shardplane_rollbacks_total', 'Releases that were rolled back.', []);
  readonly #aborts = this.#counter('shardplane_rollout_aborts_total', 'Releases that were rolled back, by cause.', [
    'cause',
  ]);
  readonly #settle = new Histogram({
    name: 'shardplane_settle_seconds',
    help: 'Time from offering a release to the last awaited answer.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [this.#registry],
  });

  #beginScrape = (): void => undefined;

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
    this.#beginAtZero();
  }

  /** Registers the gauges. Each scrape calls `look` once: it walks over thousands of nodes. */
  observe(look: () => Gauges): void {
    let last: Gauges | null = null;
    const read = (): Gauges => (last ??= look());
    this.#beginScrape = () => (last = null);
    const info = { version: readVersion(), node_version: process.version };
    this.#gauge('shardplane_build_info', '1, with the versions of shardplane and Node.', Object.keys(info), (gauge) =>
      gauge.set(info, 1),
    );
    this.#gauge('shardplane_nodes', 'Connected nodes by state.', ['state'], (gauge) => {
      const { acked, pending, refusing, unanswered } = read().counts;
      const states = { acked, pending, refusing, unanswered };
      for (const [state, nodes] of Object.entries(states)) gauge.set({ state }, nodes);
    });
    this.#gauge('shardplane_streams', 'Open xDS streams.', [], (gauge) => gauge.set(read().streams));
    this.#gauge('shardplane_load_streams', 'Open streams of load reports.', [], (gauge) =>
      gauge.set(read().loadStreams),
    );
    this.#gauge('shardplane_pinned_releases', 'Releases that were refused and wait for retry.', [], (gauge) =>
      gauge.set(read().pinned),
    );
    this.#gauge('shardplane_nodes_gone', 'Nodes that were connected within a day, and no longer are.', [], (gauge) =>
      gauge.set(read().gone),
    );
    this.#gauge('shardplane_nodes_muted', 'Nodes whose vote was taken away.', [], (gauge) => gauge.set(read().muted));
    this.#gauge('shardplane_backlog_revisions', 'Older revisions that are still being judged.', [], (gauge) =>
      gauge.set(read().backlog),
    );
    this.#gauge('shardplane_problem', '1 for each problem that is open now.', ['code'], (gauge) => {
      const open = new Set(read().problems);
      for (const code of problemCodes) gauge.set({ code }, open.has(code) ? 1 : 0);
    });
    this.#gauge('shardplane_head_is_live', '1 if the newest revision is the live one.', [], (gauge) => {
      const { head, live } = read();
      gauge.set(head !== null && head.version === live?.version ? 1 : 0);
    });
    this.#gauge('shardplane_head_held', '1 if the newest revision is held.', [], (gauge) =>
      gauge.set(read().head?.outcome === 'held' ? 1 : 0),
    );
    this.#gauge('shardplane_live_info', '1, with the version of the live release.', ['version', 'proven'], (gauge) => {
      const { live } = read();
      if (live) gauge.set({ version: live.version, proven: String(live.proven) }, 1);
    });
    observeRollout(
      () => read().rollout,
      (...gauge) => this.#gauge(...gauge),
    );
    this.#time('shardplane_live_since_seconds', 'When the live release went live', () => read().live?.since);
    this.#time('shardplane_last_fetch_seconds', 'When the last fetch of the remote succeeded', () => read().fetchedAt);
  }

  /** If a counter appeared with its first event, no alert would see an increase. */
  #beginAtZero(): void {
    for (const outcome of outcomes) this.#outcomes.labels(outcome).inc(0);
    for (const cause of causes) this.#aborts.labels(cause).inc(0);
    for (const answer of answers) this.#answers.labels(answer).inc(0);
    for (const event of streamEvents) this.#streamEvents.labels(event).inc(0);
  }

  text(): Promise<string> {
    this.#beginScrape();
    return this.#registry.metrics();
  }

  /** Counts a fact. */
  count(fact: Fact): void {
    switch (fact.type) {
      case 'invalid':
      case 'held':
      case 'superseded':
        return this.#outcomes.inc({ outcome: fact.type });
      case 'closed':
        if (fact.isNew) this.#outcomes.inc({ outcome: fact.outcome });
        return;
      case 'live':
        if (fact.isNew) this.#outcomes.inc({ outcome: 'live' });
        return;
      case 'rolled_back':
        this.#rollbacks.inc();
        this.#aborts.inc({ cause: fact.cause.type });
        return this.#outcomes.inc({ outcome: 'rolled_back' });
      case 'still_pinned':
        return this.#outcomes.inc({ outcome: 'rolled_back' });
      case 'settled':
        return this.#settle.observe(fact.ms / 1000);
      case 'unanswered':
        return this.#answers.inc({ answer: 'none' });
      default:
        return;
    }
  }

  onStream(action: StreamAction): void {
    switch (action.type) {
      case 'send':
        return this.#pushes.inc();
      case 'acked':
        return this.#acks.inc();
      case 'nacked':
        return this.#nacks.inc();
      default:
        return this.#onStreamEvent(action.type);
    }
  }

  /** A stream was refused before it had a node. */
  onStreamRefusal(): void {
    this.#onStreamEvent('reject');
  }

  onStreamFailure(): void {
    this.#onStreamEvent('failed');
  }

  #onStreamEvent(event: StreamEventName): void {
    this.#streamEvents.inc({ event });
  }

  #counter(name: string, help: string, labelNames: readonly string[]): Counter {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  #time(name: string, help: string, at: () => number | null | undefined): void {
    this.#gauge(name, `${help}, seconds since the epoch.`, [], (gauge) => {
      const ms = at() ?? null;
      if (ms === null)
        gauge.remove(); // 0 would mean 1970
      else gauge.set(ms / 1000);
    });
  }

  #gauge(name: string, help: string, labelNames: readonly string[], collect: (gauge: Gauge) => void): void {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset();
        collect(this);
      },
    });
  }
}
