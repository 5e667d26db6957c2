import type { Sums } from '../load/sums.ts';
import type { CheckSettings } from '../rollout/plan.ts';
import type { CheckEvent } from '../rollout/types.ts';
import { Baselines } from './baselines.ts';
import { checkErrors } from './error-check.ts';
import { MetricCheck } from './metric-check.ts';
import { queryPrometheus } from './prometheus.ts';
import type { FleetLoad, WatchedRollout } from './watched.ts';

/** The built-in check's name. */
const errorsName = 'errors';
/** Load reports come every 2 s while a rollout is on; three of five verdicts a second apart are soon enough after one. */
const everyMs = 1_000;
/** So long after a rollout's end a report may still be about it: the interval of reports, and a second for the way. */
const settleMs = 3_000;

export interface ChecksOptions {
  readonly settings: CheckSettings;
  readonly load: FleetLoad;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly put: (event: CheckEvent) => void;
  readonly query?: typeof queryPrometheus;
}

/** Runs the checks while a rollout is on. What comes of them is the rollout's to decide. */
export class Checks {
  readonly #options: ChecksOptions;
  readonly #baselines: Baselines;
  #rollout: WatchedRollout | null = null;
  #baseline: Sums | null = null;
  /** Reports that came before this may be about the rollout before. */
  #cleanFrom = 0;
  /** The rollout has had load reports: it is not left without the check when they end. */
  #hasReported = false;
  #timer: NodeJS.Timeout | null = null;
  #metrics: readonly MetricCheck[] = [];

  constructor(options: ChecksOptions) {
    this.#options = options;
    this.#baselines = new Baselines(options.load);
  }

  /** The checks whose verdicts a wave waits for. */
  names(): string[] {
    const { prometheus } = this.#options.settings;
    return [...(this.whyOff() === null ? [errorsName] : []), ...prometheus.map(({ name }) => name)];
  }

  /** Why the built-in check is off, for the status; null: it is on. */
  whyOff(): string | null {
    const { settings, load } = this.#options;
    if (settings.errors === null) return 'the settings turn it off';
    return load.isReporting || this.#hasReported ? null : 'no node sends load reports';
  }

  /** The rollout that is on, or null. Call it after each event: it begins anew with another version or wave, else does nothing. */
  watch(rollout: WatchedRollout | null): void {
    const isSame = rollout?.version === this.#rollout?.version && rollout?.since === this.#rollout?.since;
    const isSameRollout = rollout?.startedAt === this.#rollout?.startedAt;
    if (this.#rollout !== null && !isSameRollout) this.#cleanFrom = this.#options.now() + settleMs;
    this.#rollout = rollout;
    if (isSame && isSameRollout) return;
    this.#stop();
    const now = this.#options.now();
    if (rollout === null) {
      this.#hasReported = false;
      return this.#baselines.end(now);
    }
    this.#baseline = this.#baselines.of(rollout, now);
    this.#hasReported = this.#baseline !== null || (isSameRollout && this.#hasReported);
    this.#start();
  }

  close(): void {
    this.#rollout = null;
    this.#stop();
  }

  #start(): void {
    const { settings, query = queryPrometheus } = this.#options;
    this.#timer = setInterval(() => this.#checkErrors(), everyMs).unref();
    this.#metrics = settings.prometheus.map(
      (check) =>
        new MetricCheck({
          check,
          query,
          subject: () => ({
            version: this.#rollout?.version ?? '',
            nodes: this.#rollout?.isEveryone === true ? null : (this.#rollout?.nodes() ?? []),
          }),
          onVerdict: (finding) => this.#put({ name: check.name, ...finding }),
        }),
    );
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    for (const metric of this.#metrics) metric.close();
    this.#metrics = [];
  }

  #checkErrors(): void {
    const { settings, load, now } = this.#options;
    const rollout = this.#rollout;
    if (rollout === null || settings.errors === null || this.whyOff() !== null) return;
    this.#hasReported = true;
    const baseline = this.#baseline;
    const finding = checkErrors(load, {
      ...{ rollout, baseline, settings: settings.errors, now: now(), cleanFrom: this.#cleanFrom },
    });
    this.#put({ name: errorsName, ...finding, ...(baseline !== null && { baseline }) });
  }

  #put(event: Omit<CheckEvent, 'type' | 'at'>): void {
    this.#options.put({ type: 'check', at: this.#options.now(), ...event });
  }
}
