import type { PrometheusCheck } from '../rollout/plan.ts';
import type { QuerySubject } from './fill-query.ts';
import { judgeValue, type queryPrometheus } from './prometheus.ts';
import type { Finding } from './finding.ts';

/** So many failed queries in a row are no data; fewer may pass by themselves. */
const errorsInARow = 4;

export interface MetricCheckOptions {
  readonly check: PrometheusCheck;
  /** Whom the wave is about now. */
  readonly subject: () => QuerySubject;
  readonly query: typeof queryPrometheus;
  readonly onVerdict: (finding: Finding) => void;
}

/** Asks a Prometheus at the check's interval, one query at a time, until it is closed: for one wave. */
export class MetricCheck {
  readonly #options: MetricCheckOptions;
  readonly #end = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #isAsking = false;
  #errors = 0;

  constructor(options: MetricCheckOptions) {
    this.#options = options;
    // The first after an interval: what is measured at the beginning of a wave is from before it.
    this.#timer = setInterval(() => void this.#ask(), options.check.everyMs).unref();
  }

  /** Cuts a query that runs; there are no verdicts any more. */
  close(): void {
    clearInterval(this.#timer);
    this.#end.abort();
  }

  /** Never rejects. */
  async #ask(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const { check, subject, query, onVerdict } = this.#options;
    const { signal } = this.#end;
    const result = await query(check, subject(), signal);
    this.#isAsking = false;
    if (signal.aborted) return;
    this.#errors = 'error' in result ? this.#errors + 1 : 0;
    if (!('error' in result)) onVerdict(judgeValue(check, result.value));
    else if (this.#errors >= errorsInARow)
      onVerdict({ verdict: 'no_data', message: `${this.#errors} queries in a row failed: ${result.error}` });
  }
}
